"""The wire format of protocol buffers, as far as the peers need it."""

import struct


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number(field_number, value):
    return varint(field_number << 3) + varint(value)


def fixed(field_number, pattern):
    """A double, as its bits."""
    return varint(field_number << 3 | 1) + struct.pack("<Q", pattern)


def double(field_number, value):
    return varint(field_number << 3 | 1) + struct.pack("<d", value)


def unsigned(value):
    """A number with a sign, as `sint32` and `sint64` write it."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def fields(data, at, end):
    """The fields of a message: number, and value or (begin, end)."""
    while at < end:
        key, at = read_varint(data, at)
        if key & 7 == 0:
            value, at = read_varint(data, at)
        elif key & 7 == 1:
            value, at = (at, at + 8), at + 8
        elif key & 7 == 2:
            length, at = read_varint(data, at)
            value, at = (at, at + length), at + length
        else:
            raise ValueError(f"wire type {key & 7} at byte {at}")
        yield key >> 3, value
