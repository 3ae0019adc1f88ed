"""Sends spans and log records with OpenTelemetry's SDK and holds what SQL says of them against what was recorded, field by
field; prints counts as JSON.

Usage: compare_otlp_records.py SERVER CLUSTER PROTOCOL ADDRESS TOKEN SEED FILE

Whatever else there is of this cluster is foreign. What was found is kept in FILE.
"""

import json
import random
import sys

import held_rows
import otlp_logs
import otlp_spans
import our_sql


def main():
    server, cluster, protocol, address, token, seed, kept = sys.argv[1:]
    numbers = random.Random(int(seed))
    verdict = {}
    for table, sender in (("spans", otlp_spans), ("logs", otlp_logs)):
        sent = sender.send(cluster, protocol, address, token, numbers)
        statement = f"SELECT * FROM {table} WHERE cluster = '{cluster}'"
        found = our_sql.rows(server, statement)
        verdict[table] = held_rows.hold(f"{protocol}, {table}", sent, found)
        held_rows.keep(kept, statement, found)
    print(json.dumps(verdict))


main()
