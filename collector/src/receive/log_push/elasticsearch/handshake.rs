//! What shippers ask an Elasticsearch before they push to it, each with the least that lets them go on.
//!
//! Templates, policies and pipelines have no meaning here: whoever puts one is told that it was taken, and nothing is kept, so
//! whoever asks for one is told that there is none.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::{any, get};
use serde_json::{Value, json};

use super::{PREFIXES, answer};
use crate::receive::LogPush;
use crate::receive::identity::Unit;

/// The version that we say we are: shippers refuse to push to one that is older than they are, or of another major version.
const VERSION: &str = "8.19.0";
/// What is put before a push, each below its kind.
const KINDS: [&str; 7] = [
    "_index_template",
    "_component_template",
    "_template",
    "_ilm/policy",
    "_ingest/pipeline",
    "_data_stream",
    "_alias",
];

pub(super) fn routes() -> Router<LogPush> {
    let mut routes = Router::new();
    for prefix in PREFIXES {
        let told = [
            ("/", info as fn() -> Value),
            ("/_license", license),
            ("/_xpack", xpack),
            ("/_nodes", nodes),
            ("/_nodes/http", nodes),
            ("/_cluster/health", health),
        ];
        for (path, answer) in told {
            let route = get(move |state, request| tell(state, request, answer));
            routes = routes.route(&format!("{prefix}{path}"), route);
        }
        for kind in KINDS {
            routes = routes.route(&format!("{prefix}/{kind}/{{name}}"), any(named));
        }
    }
    let route = get(|state, request| tell(state, request, info));
    // Indices, and what a client of Elasticsearch asks besides. At the root such names would be those of our own routes.
    routes
        .route("/elasticsearch", route)
        .route("/elasticsearch/{index}", any(named))
        .route("/elasticsearch/{index}/{part}", any(named))
}

async fn tell(State(push): State<LogPush>, request: Request, answer: fn() -> Value) -> Response {
    match push.0.identity.caller(request.headers()) {
        Ok(_) => answer::success(&answer()),
        Err(refused) => answer::unauthorized(&refused),
    }
}

/// Takes what is put without keeping it, and has nothing that is asked for.
async fn named(State(push): State<LogPush>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let caller = match push.0.identity.caller(&head.headers) {
        Ok(caller) => caller,
        Err(refused) => return answer::unauthorized(&refused),
    };
    if head.method != Method::PUT && head.method != Method::POST {
        let path: String = head.uri.path().chars().take(200).collect();
        return answer::not_found(&format!("there is nothing at {path:?}: log rows go to _bulk"));
    }
    // Read to its end: a connection that is closed with bytes unread may be reset before the sender has read the answer.
    match push.0.settings().intake.read(&caller, Unit::Rows, &head.headers, body, 0).await {
        Ok(_) => answer::success(&json!({ "acknowledged": true, "shards_acknowledged": true })),
        Err(error) => answer::failure(&error),
    }
}

fn info() -> Value {
    json!({
        "name": "fleetscope",
        "cluster_name": "fleetscope",
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "tar",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    })
}

fn license() -> Value {
    json!({ "license": { "type": "basic", "status": "active" } })
}

fn xpack() -> Value {
    json!({ "license": { "type": "basic", "mode": "basic", "status": "active" }, "features": {} })
}

/// None that a client should go to instead of the address that it knows.
fn nodes() -> Value {
    json!({ "_nodes": { "total": 0, "successful": 0, "failed": 0 }, "cluster_name": "fleetscope", "nodes": {} })
}

fn health() -> Value {
    json!({ "cluster_name": "fleetscope", "status": "green", "timed_out": false, "number_of_nodes": 1 })
}
