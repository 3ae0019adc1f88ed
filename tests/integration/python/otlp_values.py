"""Values of attributes and bodies that a sender draws, and the texts that a table has of them."""

import base64
import decimal
import json

WORDS = ["", "paid", "zwölf Körbe", "日本語 \U0001f4a1", "a \"quoted\" \\ word", "\x1b[31mred\x1b[0m\ttab\r\nline", "NUL \0 in it", "x" * 300]
NUMBERS = [0, -1, 2**53 + 1, -(2**63), 2**63 - 1]
FRACTIONS = [0.1, -2.5, 3.0, 1e-7, 6.02e23, 1 / 3, -0.0, float("inf"), float("-inf"), float("nan")]


def scalar(numbers):
    """A string, a boolean, an integer or a floating-point number."""
    return numbers.choice([
        lambda: numbers.choice(WORDS),
        lambda: f"text {numbers.getrandbits(40)}",
        lambda: numbers.random() < 0.5,
        lambda: numbers.choice(NUMBERS),
        lambda: numbers.randrange(-1000, 1 << 40),
        lambda: numbers.choice(FRACTIONS),
        lambda: numbers.uniform(-1e6, 1e6),
    ])()


def sequence(numbers):
    """Values of one type, as an attribute may have several."""
    count = numbers.randrange(4)
    return [
        numbers.sample(WORDS, count),
        [numbers.random() < 0.5 for _ in range(count)],
        [numbers.choice(NUMBERS) for _ in range(count)],
        [numbers.choice(FRACTIONS[:-3]) for _ in range(count)],
    ][numbers.randrange(4)]


def nested(numbers, depth=2):
    """A value of any kind, lists, maps, bytes and nothing among them."""
    kind = numbers.randrange(6 if depth else 3)
    if kind == 0:
        return numbers.randbytes(numbers.randrange(9))
    if kind == 1:
        return None
    if kind < 4:
        return scalar(numbers)
    if kind == 4:
        return [nested(numbers, depth - 1) for _ in range(numbers.randrange(4))]
    return {f"{numbers.choice('zäa')}.{place}": nested(numbers, depth - 1) for place in range(numbers.randrange(4))}


def attributes(numbers, value):
    """A few attributes, their values drawn by `value`."""
    return {f"app.key {numbers.randrange(99)}": value(numbers) for _ in range(numbers.randrange(6))}


def number(value):
    """A floating-point number as the tables write it: with an exponent only below 1e-6 and from 1e21 on."""
    if value != value:
        return "NaN"
    if abs(value) == float("inf"):
        return "Infinity" if value > 0 else "-Infinity"
    if value and not 1e-6 <= abs(value) < 1e21:
        mantissa, exponent = repr(value).split("e")
        return f"{mantissa.removesuffix('.0')}e{'+' if int(exponent) > 0 else ''}{int(exponent)}"
    digits = format(decimal.Decimal(repr(value)), "f")
    return digits.removesuffix(".0")


def in_json(value):
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(in_json, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{json.dumps(key, ensure_ascii=False)}:{in_json(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, (str, bytes)) or isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return json.dumps(text(value), ensure_ascii=False)
    return text(value)


def text(value):
    """The text that a table has of a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, tuple, dict)):
        return in_json(value)
    return str(value)


def texts(values):
    """The texts of attributes."""
    return {key: text(value) for key, value in values.items()}


# Two resources: one with all that columns are made of, one with nothing but a name.
RESOURCES = [
    {
        "service.name": "shop",
        "service.namespace": "europe",
        "k8s.cluster.name": "dublin",
        "k8s.namespace.name": "prod",
        "k8s.pod.name": "shop-7d9f",
        "k8s.container.name": "main",
        "k8s.node.name": "node-1",
        "host.cpu.count": 8,
        "zones": ["a", "b"],
        "load": 0.25,
        "spot": True,
    },
    {"service.name": "till"},
]
# Names, versions and attributes of the scopes.
SCOPES = [("sender", "1.0", {"team": "käse", "level": 3}), ("bare", None, None)]


def shared(cluster, resource, scope):
    """The columns that all rows of a resource and scope have, and the attributes that its scope gives to each."""
    name, version, of_scope = scope
    told = texts(resource)
    # The cluster is who the token says.
    elsewhere = told.pop("k8s.cluster.name", None)
    if elsewhere is not None:
        told["exported_cluster"] = elsewhere
    columns = {
        "cluster": cluster,
        "service": resource["service.name"],
        "scope_name": name,
        "scope_version": version or "",
        "resource": told,
    }
    for column in ("namespace", "pod", "container", "node"):
        columns[column] = resource.get(f"k8s.{column}.name", "")
    return columns, {f"otel.scope.{key}": text(value) for key, value in (of_scope or {}).items()}
