"""Asking an ONNX file for values that are inside it.

A protobuf message may be continued by appending: fields that come later are merged into the first. So an inner value
becomes an output with a few bytes at the end of the file (protobuf encoding, "Last One Wins"; onnx.proto3 fields).
"""

from typing import Literal

_ELEMENT = {"float": 1, "int8": 3}
"""TensorProto.DataType."""
_LENGTH_DELIMITED = 2
_GRAPH, _OUTPUT = 7, 12
"""Field numbers: ModelProto.graph, GraphProto.output."""


def output_of(name: str, element: Literal["float", "int8"]) -> bytes:
    """Bytes that, behind those of a model, make the value called `name` one of its outputs."""
    tensor_type = _field(1, bytes((1 << 3, _ELEMENT[element])))  # TypeProto.tensor_type.elem_type
    value_info = _field(1, name.encode()) + _field(2, tensor_type)
    return _field(_GRAPH, _field(_OUTPUT, value_info))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last have the eighth bit set."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))
