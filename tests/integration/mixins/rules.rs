//! Rules in the form of those that every cluster with kube-prometheus records: how they join, not their words.

/// What is recorded, from what, and between which bounds all of its values lie.
pub(super) type Rule = (&'static str, &'static str, (f64, f64));

const FRACTION: (f64, f64) = (0.0, 1.0);
/// Of increases that are carried on to the ends of a range one by one: a part may come to a little more than the whole.
const LEFT: (f64, f64) = (-0.01, 1.01);
const BYTES: (f64, f64) = (1.0, 1e13);
const SECONDS: (f64, f64) = (1e-5, 60.0);
const ONE: (f64, f64) = (1.0, 1.0);
const COUNT: (f64, f64) = (1.0, 1e6);
const RATE: (f64, f64) = (0.0, 1e9);
const CORES: (f64, f64) = (0.0, 256.0);

/// Containers with the node that they run on, pods with the workload that they belong to, and what they ask for.
pub(super) const OF_PODS: [Rule; 13] = [
    (
        "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_rate5m",
        r#"sum by (cluster, namespace, pod, container) (rate(container_cpu_usage_seconds_total{image!="", container!=""}[5m]))
           * on (cluster, namespace, pod) group_left (node)
           topk by (cluster, namespace, pod) (1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))"#,
        CORES,
    ),
    (
        "node_namespace_pod_container:container_memory_rss",
        r#"container_memory_rss{image!=""} * on (cluster, namespace, pod) group_left (node)
           topk by (cluster, namespace, pod) (1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))"#,
        BYTES,
    ),
    (
        "node_namespace_pod_container:container_memory_working_set_bytes",
        r#"container_memory_working_set_bytes{image!=""} * on (cluster, namespace, pod) group_left (node)
           topk by (cluster, namespace, pod) (1, max by (cluster, namespace, pod, node) (kube_pod_info{node!=""}))"#,
        BYTES,
    ),
    (
        "cluster:namespace:pod_cpu:active:kube_pod_container_resource_requests",
        r#"kube_pod_container_resource_requests{resource="cpu"} * on (namespace, pod, cluster) group_left ()
           max by (namespace, pod, cluster) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)"#,
        CORES,
    ),
    (
        "cluster:namespace:pod_memory:active:kube_pod_container_resource_limits",
        r#"kube_pod_container_resource_limits{resource="memory"} * on (namespace, pod, cluster) group_left ()
           max by (namespace, pod, cluster) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)"#,
        BYTES,
    ),
    (
        "namespace_memory:kube_pod_container_resource_requests:sum",
        r#"sum by (namespace, cluster) (sum by (namespace, pod, cluster) (
             max by (namespace, pod, container, cluster) (kube_pod_container_resource_requests{resource="memory"})
           * on (namespace, pod, cluster) group_left ()
             max by (namespace, pod, cluster) (kube_pod_status_phase{phase=~"Pending|Running"} == 1)))"#,
        BYTES,
    ),
    (
        "namespace_workload_pod:kube_pod_owner:relabel_deployment",
        r#"max by (cluster, namespace, workload, pod) (label_replace(
             label_replace(kube_pod_owner{owner_kind="ReplicaSet"}, "replicaset", "$1", "owner_name", "(.*)")
           * on (replicaset, namespace, cluster) group_left (owner_name)
             topk by (cluster, replicaset, namespace) (1, max by (cluster, replicaset, namespace, owner_name) (kube_replicaset_owner)),
             "workload", "$1", "owner_name", "(.*)"))"#,
        ONE,
    ),
    (
        "namespace_workload_pod:kube_pod_owner:relabel",
        r#"max by (cluster, namespace, workload, pod, workload_type) (
             label_replace(label_replace(kube_pod_owner{owner_kind="DaemonSet"},
               "workload", "$1", "owner_name", "(.*)"), "workload_type", "daemonset", "", "")
           or
             label_replace(label_replace(kube_pod_owner{owner_kind="StatefulSet"},
               "workload", "$1", "owner_name", "(.*)"), "workload_type", "statefulset", "", ""))"#,
        ONE,
    ),
    (
        "namespace_workload:container_cpu_usage_seconds_total:sum_rate5m",
        r#"sum by (cluster, namespace, workload) (
             sum by (cluster, namespace, pod) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))
           * on (cluster, namespace, pod) group_left (workload)
             label_replace(kube_pod_owner{owner_kind=~"DaemonSet|StatefulSet"}, "workload", "$1", "owner_name", "(.+)"))"#,
        CORES,
    ),
    (
        "namespace_pod:container_cpu_cfs_throttled_periods:ratio_rate5m",
        r#"sum by (cluster, namespace, pod) (increase(container_cpu_cfs_throttled_periods_total{container!=""}[5m]))
           / sum by (cluster, namespace, pod) (increase(container_cpu_cfs_periods_total{}[5m]))"#,
        FRACTION,
    ),
    (
        "node:node_num_cpu:sum",
        r#"count by (cluster, node) (sum by (node, cpu, cluster) (node_cpu_seconds_total{job="node-exporter"}
           * on (cluster, instance) group_left (node) label_replace(
             kube_node_info, "instance", "$1", "node", "(.*)")))"#,
        COUNT,
    ),
    (
        "namespace_deployment:kube_deployment_status_replicas:lacking",
        r#"(kube_deployment_spec_replicas > bool kube_deployment_status_replicas_available)
           and on (cluster, namespace, deployment) changes(kube_deployment_status_replicas_updated[10m]) >= 0"#,
        FRACTION,
    ),
    (
        "cluster:kube_node_status_allocatable:cpu_overcommit",
        r#"sum by (cluster) (kube_pod_container_resource_requests{resource="cpu"})
           - (sum by (cluster) (kube_node_status_allocatable{resource="cpu"})
              - max by (cluster) (kube_node_status_allocatable{resource="cpu"}))"#,
        (-1e5, 1e5),
    ),
];

/// How fast the API server's budget of errors burns, and how slow it is.
pub(super) const OF_API_SERVERS: [Rule; 6] = [
    (
        "apiserver_request:burnrate30m",
        r#"(
             sum by (cluster) (rate(apiserver_request_sli_duration_seconds_count{verb=~"LIST|GET"}[30m]))
           - (
               sum by (cluster) (rate(apiserver_request_sli_duration_seconds_bucket{verb=~"LIST|GET", scope="resource", le="1"}[30m]))
             + (
                 sum by (cluster) (rate(apiserver_request_sli_duration_seconds_bucket{verb=~"LIST|GET", scope="namespace", le="5"}[30m]))
               or
                 sum by (cluster) (rate(apiserver_request_sli_duration_seconds_bucket{verb=~"LIST|GET", scope="cluster", le="30"}[30m]))
               )
             )
           + (sum by (cluster) (rate(apiserver_request_total{verb=~"LIST|GET", code=~"5.."}[30m])) or max by (cluster) (up{job="apiserver"}) * 0)
           ) / sum by (cluster) (rate(apiserver_request_total{verb=~"LIST|GET"}[30m]))"#,
        LEFT,
    ),
    (
        "code_resource:apiserver_request_total:rate5m",
        r#"sum by (cluster, code, resource) (rate(apiserver_request_total{job="apiserver", verb=~"POST|PUT|PATCH|DELETE"}[5m]))"#,
        RATE,
    ),
    (
        "cluster_quantile:apiserver_request_sli_duration_seconds:histogram_quantile",
        r#"histogram_quantile(0.99, sum by (cluster, le, resource) (rate(
             apiserver_request_sli_duration_seconds_bucket{job="apiserver", verb=~"LIST|GET", subresource!~"proxy|attach|log"}[5m]))) > 0"#,
        SECONDS,
    ),
    (
        "apiserver_request:availability30m",
        r#"1 - (
             sum by (cluster) (increase(apiserver_request_sli_duration_seconds_count{verb=~"POST|PUT|PATCH|DELETE"}[30m]))
           - sum by (cluster) (increase(apiserver_request_sli_duration_seconds_bucket{verb=~"POST|PUT|PATCH|DELETE", le="1"}[30m]))
           ) / sum by (cluster) (increase(apiserver_request_sli_duration_seconds_count{verb=~"POST|PUT|PATCH|DELETE"}[30m]))"#,
        LEFT,
    ),
    (
        "cluster_verb_scope_le:apiserver_request_sli_duration_seconds_bucket:increase30m",
        r#"sum by (cluster, verb, scope, le) (increase(apiserver_request_sli_duration_seconds_bucket{le=~"0.1|1|\\+Inf"}[30m]))"#,
        RATE,
    ),
    (
        "cluster_quantile:etcd_disk_wal_fsync_duration_seconds:histogram_quantile",
        r#"label_replace(histogram_quantile(0.9, sum by (cluster, instance, le) (
             rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m]))), "quantile", "0.9", "", "")"#,
        SECONDS,
    ),
];

/// How much of a node is used, and how much waits; what its kubelet takes.
pub(super) const OF_NODES: [Rule; 11] = [
    (
        "instance:node_num_cpu:sum",
        r#"count without (cpu, mode) (node_cpu_seconds_total{job="node-exporter", mode="idle"})"#,
        COUNT,
    ),
    (
        "instance:node_cpu_utilisation:rate5m",
        r#"1 - avg without (cpu) (sum without (mode) (
             rate(node_cpu_seconds_total{job="node-exporter", mode=~"idle|iowait|steal"}[5m])))"#,
        (-0.01, 1.0),
    ),
    (
        "instance:node_load1_per_cpu:ratio",
        r#"node_load1{job="node-exporter"} / count without (cpu, mode) (node_cpu_seconds_total{job="node-exporter", mode="idle"})"#,
        (0.0, 100.0),
    ),
    (
        "instance:node_memory_utilisation:ratio",
        r#"1 - (
             (node_memory_MemAvailable_bytes{job="node-exporter"}
             or (node_memory_Buffers_bytes + node_memory_Cached_bytes + node_memory_MemFree_bytes))
           / node_memory_MemTotal_bytes{job="node-exporter"})"#,
        FRACTION,
    ),
    (
        "instance_device:node_disk_io_time_seconds:rate5m",
        r#"rate(node_disk_io_time_seconds_total{job="node-exporter", device=~"nvme.+|sd.+|vd.+|xvd.+"}[5m])"#,
        FRACTION,
    ),
    (
        "instance:node_network_receive_bytes_excluding_lo:rate5m",
        r#"sum without (device) (rate(node_network_receive_bytes_total{job="node-exporter", device!="lo"}[5m]))"#,
        RATE,
    ),
    (
        "instance:node_filesystem_usage:left_in_4h",
        r#"predict_linear(node_filesystem_avail_bytes{mountpoint="/"}[30m], 4 * 3600)
           / on (cluster, instance) group_left () max by (cluster, instance) (node_filesystem_size_bytes{mountpoint="/"})"#,
        (-10.0, 10.0),
    ),
    (
        "instance:node_clock:skewed",
        r#"(deriv(node_timex_offset_seconds[5m]) >= bool 0) * 0
           + on (cluster, instance) group_right () (node_timex_offset_seconds > bool 0.05)"#,
        FRACTION,
    ),
    (
        "node_quantile:kubelet_pleg_relist_duration_seconds:histogram_quantile",
        r#"histogram_quantile(0.99, sum by (cluster, instance, le) (rate(kubelet_pleg_relist_duration_seconds_bucket[5m]))
           * on (cluster, instance) group_left (node) max by (cluster, instance, node) (kubelet_node_name))"#,
        SECONDS,
    ),
    (
        "kubelet_volume:available:ratio",
        r#"(kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes)
           and kubelet_volume_stats_used_bytes > 0
           unless on (cluster, namespace, persistentvolumeclaim) kubelet_volume_stats_capacity_bytes == 0"#,
        FRACTION,
    ),
    (
        "cluster:up:count_without_absent",
        r#"count by (cluster) (up == 1) unless on () absent(up{job="apiserver"})"#,
        COUNT,
    ),
];
