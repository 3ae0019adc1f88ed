//! What names mean in SQL: the tables of the default schema, and one table per metric in the schema `metric`.
//!
//! Owns: which tables there are, and what is said of one that is not there.
//! Does not own: their rows (`table`).

mod fleet;
mod similar;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::{Result, plan_err};
use model::labels::NAME_LABEL;
use storage::matcher::Condition;
use storage::{Matcher, Selection, Table};

pub(crate) use fleet::Fleet;

use crate::columnar::ColumnarTable;
use crate::error::external;
use crate::promql::TABLE_FUNCTION;
use crate::source::Source;
use crate::table::{RawTable, SeriesTable};

/// The one catalog.
pub(crate) const CATALOG: &str = "fleetscope";
/// The schema of names without a schema.
pub(crate) const SCHEMA: &str = "public";
/// The schema with one table per metric.
pub(crate) const METRIC_SCHEMA: &str = "metric";
/// The tables of the default schema.
pub(crate) const TABLES: [&str; 12] = [
    "clusters",
    "exemplars",
    "histograms",
    "logs",
    "metadata",
    "metrics",
    "samples",
    "series",
    "services",
    "sources",
    "spans",
    "starts",
];
/// How many names are offered instead of an unknown one.
const SUGGESTIONS: usize = 5;

/// The names of one query, over one snapshot.
#[derive(Debug)]
pub(crate) struct Catalog {
    public: Arc<PublicSchema>,
    metric: Arc<MetricSchema>,
}

impl Catalog {
    /// The names over a snapshot and what is known of the fleet.
    pub(crate) fn new(source: Arc<Source>, fleet: Fleet) -> Self {
        Catalog {
            public: Arc::new(PublicSchema { source: Arc::clone(&source), fleet }),
            metric: Arc::new(MetricSchema { source }),
        }
    }
}

impl CatalogProvider for Catalog {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned(), METRIC_SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        match name {
            SCHEMA => Some(Arc::clone(&self.public) as Arc<dyn SchemaProvider>),
            METRIC_SCHEMA => Some(Arc::clone(&self.metric) as Arc<dyn SchemaProvider>),
            other => Some(Arc::new(NoSchema(other.to_owned()))),
        }
    }
}

/// The list of that one catalog.
#[derive(Debug)]
pub(crate) struct Catalogs(pub(crate) Arc<Catalog>);

impl CatalogProviderList for Catalogs {
    fn register_catalog(&self, _name: String, _catalog: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == CATALOG).then(|| Arc::clone(&self.0) as Arc<dyn CatalogProvider>)
    }
}

/// Stands in for a schema that does not exist, so that asking for a table in it says what does.
#[derive(Debug)]
struct NoSchema(String);

#[async_trait]
impl SchemaProvider for NoSchema {
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        plan_err!(
            "there is no schema {:?}, so no table {name:?} in it: there are {} and {METRIC_SCHEMA}.\"<name>\" for each \
             metric",
            self.0,
            TABLES.join(", ")
        )
    }

    fn table_exist(&self, _name: &str) -> bool {
        false
    }
}

#[derive(Debug)]
struct PublicSchema {
    source: Arc<Source>,
    fleet: Fleet,
}

#[async_trait]
impl SchemaProvider for PublicSchema {
    fn table_names(&self) -> Vec<String> {
        TABLES.map(str::to_owned).into()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let source = Arc::clone(&self.source);
        let table: Arc<dyn TableProvider> = match name {
            "metrics" => Arc::new(SeriesTable::metrics(source)),
            "samples" => Arc::new(RawTable::new(source, Table::Samples)),
            "series" => Arc::new(RawTable::new(source, Table::Series)),
            "histograms" => Arc::new(RawTable::new(source, Table::Histograms)),
            "starts" => Arc::new(RawTable::new(source, Table::Starts)),
            "exemplars" => Arc::new(RawTable::new(source, Table::Exemplars)),
            "metadata" => Arc::new(RawTable::new(source, Table::Metadata)),
            "logs" => Arc::new(ColumnarTable::new(source, Table::Logs)),
            "spans" => Arc::new(ColumnarTable::new(source, Table::Spans)),
            "clusters" => self.fleet.clusters(&self.source.last_samples())?,
            "services" => self.fleet.services()?,
            "sources" => self.fleet.sources()?,
            // The planner asks for these names too before it finds that they are functions.
            "generate_series" | "range" | TABLE_FUNCTION => return Ok(None),
            _ => {
                return plan_err!(
                    "there is no table {name:?}: there are {} and {METRIC_SCHEMA}.\"<name>\" for each metric",
                    TABLES.join(", ")
                );
            }
        };
        Ok(Some(table))
    }

    fn table_exist(&self, name: &str) -> bool {
        TABLES.contains(&name)
    }
}

#[derive(Debug)]
struct MetricSchema {
    source: Arc<Source>,
}

#[async_trait]
impl SchemaProvider for MetricSchema {
    /// None by name: there may be tens of thousands, and listing them would describe each.
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let matcher = Matcher { label: NAME_LABEL.to_owned(), condition: Condition::In(vec![name.to_owned()]) };
        let selection = Selection { matchers: vec![matcher], ..Selection::all() };
        let resolved = self.source.resolve(&selection).await.map_err(external)?;
        if resolved.series.is_empty() {
            return self.unknown(name).await;
        }
        let labels: BTreeSet<&str> =
            resolved.series.iter().flat_map(|s| s.key.labels.iter().map(|(label, _)| label)).collect();
        let labels: Vec<String> = labels.into_iter().map(str::to_owned).collect();
        Ok(Some(Arc::new(SeriesTable::metric(Arc::clone(&self.source), name, &labels))))
    }

    fn table_exist(&self, _name: &str) -> bool {
        true
    }
}

impl MetricSchema {
    async fn unknown(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let resolved = self.source.resolve(&Selection::all()).await.map_err(external)?;
        let names: BTreeSet<&str> = resolved.series.iter().map(|series| &*series.key.name).collect();
        let similar = similar::nearest(name, names, SUGGESTIONS);
        if similar.is_empty() {
            return plan_err!("there is no metric {name:?}; SELECT DISTINCT name FROM series shows which there are");
        }
        plan_err!("there is no metric {name:?}; similar ones are {}", similar.join(", "))
    }
}
