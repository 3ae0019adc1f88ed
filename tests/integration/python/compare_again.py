"""Asks again what other scripts asked, and holds the answers against those that they got; prints how many rows they are.

Usage: compare_again.py SERVER FILE
"""

import json
import pathlib
import sys

import held_rows
import our_sql


def main():
    server, file = sys.argv[1:]
    kept = json.loads(pathlib.Path(file).read_text())
    print(sum(held_rows.hold(statement, rows, our_sql.rows(server, statement)) for statement, rows in kept.items()), "rows")


main()
