"""Asks us with PyPI's prometheus-api-client, and says what it found as JSON.

Arguments: the URL, and the first and the last second of the samples.
"""

import json
import sys
from datetime import datetime, timezone

from prometheus_api_client import PrometheusConnect

url, start, end = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
prometheus = PrometheusConnect(url=url)
middle = (start + end) // 2
moments = [datetime.fromtimestamp(second, timezone.utc) for second in (start, end)]
per_cluster = prometheus.custom_query_range("sum by (cluster) (up)", *moments, step="1m")
print(
    json.dumps(
        {
            "connection": prometheus.check_prometheus_connection(),
            "metrics": sorted(prometheus.all_metrics()),
            "clusters": sorted(prometheus.get_label_values("cluster")),
            "current": prometheus.get_current_metric_value("up", {"cluster": "berlin"}, params={"time": middle}),
            "count": prometheus.custom_query("count(up)", params={"time": middle}),
            "range": {one["metric"]["cluster"]: len(one["values"]) for one in per_cluster},
        }
    )
)
