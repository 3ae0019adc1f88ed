//! What is observed in a cluster, one system a file: each exposes the names, labels and types of the real one.

pub(crate) mod apiserver;
pub(crate) mod application;
pub(crate) mod cadvisor;
pub(crate) mod coredns;
pub(crate) mod etcd;
pub(crate) mod kube_state;
pub(crate) mod kubelet;
pub(crate) mod node;
