//! The DataFusion session of one query: settings, functions, names, one snapshot.
//!
//! Owns: every setting of DataFusion, what a session can reach (the tables of one snapshot and nothing else).
//! Does not own: which texts get here (`guard`), where and how long they run (`run`).

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::execution::context::ExecutionProps;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults, TaskContext};
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use storage::Table;
use url::Url;

use crate::catalog::{CATALOG, Catalog, Catalogs, Fleet, SCHEMA};
use crate::guard::Functions;
use crate::scan::inputs::store_url;
use crate::scan::label::LabelPlanner;
use crate::scan::lower::optimizer_rules;
use crate::source::Source;

/// Rows of a batch.
pub(crate) const BATCH_ROWS: usize = 8192;

/// What all sessions have in common, made once.
#[derive(Debug)]
pub(crate) struct Template {
    state: SessionState,
    functions: Functions,
}

impl Template {
    /// A template for sessions that use `threads` threads.
    pub(crate) fn new(threads: usize) -> Self {
        let functions = Functions::new();
        let mut config = SessionConfig::new()
            .with_target_partitions(threads)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(true)
            .with_create_default_catalog_and_schema(false)
            .with_default_catalog_and_schema(CATALOG, SCHEMA);
        let options = config.options_mut();
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        options.sql_parser.collect_spans = true;
        // The generic dialect reads `name, cluster` as a trailing comma and CLUSTER BY.
        options.sql_parser.dialect = datafusion::config::Dialect::PostgreSQL;
        // A scan is split by the rows it selects, which a split by bytes would undo.
        options.optimizer.repartition_file_scans = false;
        // Labels are moved towards the scans by a rule of our own.
        options.optimizer.enable_leaf_expression_pushdown = false;
        let mut planners = SessionStateDefaults::default_expr_planners();
        planners.insert(0, Arc::new(LabelPlanner(Arc::clone(functions.label()))));
        let tables = Functions::tables().into_iter().map(|f| (f.name().to_owned(), Arc::new(f))).collect();
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_expr_planners(planners)
            .with_optimizer_rules(optimizer_rules())
            .with_scalar_functions(functions.scalar())
            .with_aggregate_functions(Functions::aggregates())
            .with_window_functions(Functions::windows())
            .with_table_functions(tables)
            .build();
        Template { state, functions }
    }

    /// The functions that a query may call.
    pub(crate) fn functions(&self) -> &Functions {
        &self.functions
    }

    /// A session over one snapshot, with its memory counted by `pool`.
    ///
    /// # Errors
    /// DataFusion's, if it takes no such settings.
    pub(crate) fn session(&self, source: Arc<Source>, fleet: Fleet, pool: Arc<dyn MemoryPool>) -> Result<SessionState> {
        let runtime = runtime(&source, pool)?;
        let now = chrono::DateTime::from_timestamp_millis(fleet.now_ms);
        let props = ExecutionProps::new();
        let props = match now {
            Some(now) => props.with_query_execution_start_time(now),
            None => props,
        };
        let catalogs = Arc::new(Catalogs(Arc::new(Catalog::new(source, fleet))));
        Ok(SessionStateBuilder::new_from_existing(self.state.clone())
            .with_catalog_list(catalogs)
            .with_runtime_env(runtime)
            .with_execution_props(props)
            .build())
    }

    /// What plans run with that no session has made: they know no function and no table by name.
    ///
    /// # Errors
    /// As [`Template::session`].
    pub(crate) fn context(&self, source: &Source, pool: Arc<dyn MemoryPool>) -> Result<Arc<TaskContext>> {
        let (config, runtime) = (self.state.config().clone(), runtime(source, pool)?);
        Ok(Arc::new(TaskContext::new(
            None,
            String::new(),
            config,
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            runtime,
        )))
    }
}

/// The memory and the object stores of one query.
fn runtime(source: &Source, pool: Arc<dyn MemoryPool>) -> Result<Arc<RuntimeEnv>> {
    let mut stores = Vec::new();
    for table in Table::ALL {
        stores.push((store_url(table)?, source.object_store(table).0));
    }
    RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .with_object_store_registry(Arc::new(Stores(stores)))
        .build_arc()
}

/// The object stores of one snapshot. There is no other way to a file or to the network.
#[derive(Debug)]
struct Stores(Vec<(ObjectStoreUrl, Arc<dyn ObjectStore>)>);

impl ObjectStoreRegistry for Stores {
    fn register_store(&self, _url: &Url, _store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        None
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let known = |(known, _): &&(ObjectStoreUrl, _)| {
            let known: &Url = known.as_ref();
            known.scheme() == url.scheme() && known.host_str() == url.host_str()
        };
        match self.0.iter().find(known) {
            Some((_, store)) => Ok(Arc::clone(store)),
            None => Err(DataFusionError::Plan(format!("queries read the tables of this store only, not {url}"))),
        }
    }
}
