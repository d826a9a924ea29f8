"""Tables of the message syntax, made from the source of the syntax functions.

The functions of `sei.syntax` are the only description of the syntax. This module walks their
source: a call of a descriptor is a row, the ``if`` and ``for`` statements around it say when the
element is present, and a call of another syntax function continues there.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from sei import content_messages, signed_content, syntax
from sei.bits import UE_MAX

_CODER = "c"

# Where the function of each message stands, and what its title says behind its name.
_TABLES = (
    (syntax, "generative_face_video", "223"),
    (syntax, "generative_face_video_enhancement", "224"),
    (content_messages, "text_description", "219"),
    (content_messages, "ai_usage_restrictions", "225"),
    (signed_content, "digitally_signed_content_initialization", "220"),
    (signed_content, "digitally_signed_content_selection", "221"),
    (signed_content, "digitally_signed_content_verification", "222, up to its signature"),
)


@dataclass(frozen=True, slots=True)
class SyntaxRow:
    """An element in a syntax table: its descriptor, when it is present, and its range."""

    element: str
    code: str
    conditions: tuple[str, ...]
    range: str


def syntax_rows(function_name: str, *modules: ModuleType) -> list[SyntaxRow]:
    """Rows of a syntax function, in bitstream order.

    It and those that it calls stand in ``modules``, or in `sei.syntax` where none are given.
    """
    functions: dict[str, ast.FunctionDef] = {}
    names: dict[str, Any] = {}
    for module in modules or (syntax,):
        tree = ast.parse(inspect.getsource(module))
        functions |= {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        names |= vars(module)
    rows: list[SyntaxRow] = []
    walker = _Walker(functions, rows, {}, names, is_entry=True)
    walker.block(functions[function_name].body, ())
    return rows


def syntax_table(function_name: str, *modules: ModuleType) -> str:
    """The same as a Markdown table."""
    table = ["| syntax element | code | present when | range |", "| --- | --- | --- | --- |"]
    for row in syntax_rows(function_name, *modules):
        conditions = "; ".join(_as_code(condition) for condition in row.conditions)
        table.append(f"| {row.element} | {row.code} | {conditions} | {_as_code(row.range)} |")
    return "\n".join(table)


def syntax_document() -> str:
    """The tables of the messages as a Markdown document."""
    parts = [
        "# Syntax of the generative face video messages",
        "And of some others of VSEI version 4. "
        "Written by `python -m sei --write-docs` from the syntax functions in `sei/syntax.py`, "
        "`sei/content_messages.py` and `sei/signed_content.py`; "
        "a test fails when it is stale. Conditions and ranges are expressions of that code: an "
        "element name without its prefix stands for its value, `p` for a precision factor. `hm18` "
        "stands for the older draft that HM 18.0 has and `inspect --draft hm18` reads.",
    ]
    for module, function, note in _TABLES:
        parts += [f"## {function}( ), payloadType {note}", syntax_table(function, module)]
    return "\n\n".join(parts) + "\n"


def _as_code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else ""


class _Substitute(ast.NodeTransformer):
    """Puts what is known of local names, and the values of module constants, in their place."""

    def __init__(self, bindings: dict[str, ast.expr], names: dict[str, Any]) -> None:
        self._bindings = bindings
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self._bindings:
            return self._bindings[node.id]
        return self._constant(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        constant = self._constant(node)
        return self.generic_visit(node) if constant is node else constant

    def _constant(self, node: ast.expr) -> ast.expr:
        value: Any = self._names
        path = ast.unparse(node).split(".")
        for name in path:
            value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
        if isinstance(value, int) or (
            isinstance(value, tuple) and all(isinstance(item, int) for item in value)
        ):
            return ast.parse(repr(value), mode="eval").body
        return node


class _Walker:
    """Walks the statements of a syntax function; ``bindings`` are its arguments."""

    def __init__(
        self,
        functions: dict[str, ast.FunctionDef],
        rows: list[SyntaxRow],
        bindings: dict[str, ast.expr],
        names: dict[str, Any],
        *,
        is_entry: bool = False,
    ) -> None:
        self._functions = functions
        self._rows = rows
        self._bindings = bindings
        self._names = names
        self._is_entry = is_entry

    def _resolve(self, node: ast.expr) -> ast.expr:
        copied = ast.parse(ast.unparse(node), mode="eval").body
        resolved = _Substitute(self._bindings, self._names).visit(copied)
        assert isinstance(resolved, ast.expr)
        return resolved

    def _text(self, node: ast.expr) -> str:
        return ast.unparse(self._resolve(node))

    def block(self, statements: Sequence[ast.stmt], conditions: tuple[str, ...]) -> None:
        """Walk statements that run under ``conditions``."""
        for statement in statements:
            if isinstance(statement, ast.If):
                self._calls(statement.test, conditions)
                test = self._resolve(statement.test)
                self.block(statement.body, (*conditions, ast.unparse(test)))
                negated = (*conditions, _negated(test))
                self.block(statement.orelse, negated)
                # The reserved identifiers that end a message are in its first rows; the rows after
                # them need not repeat it.
                if isinstance(statement.body[-1], ast.Return) and not self._is_entry:
                    conditions = negated
            elif isinstance(statement, ast.For):
                self._calls(statement.iter, conditions)
                loop = self._loop(statement.target, statement.iter)
                self.block(statement.body, (*conditions, loop))
            else:
                if isinstance(statement, ast.Assign):
                    self._bind(statement.targets[0], statement.value)
                self._calls(statement, conditions)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        """Remember local names of elements and indices, and numbers that are chosen."""
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one_target, one_value in zip(target.elts, value.elts, strict=True):
                self._bind(one_target, one_value)
        elif isinstance(target, ast.Name):
            is_name = isinstance(value, ast.JoinedStr)
            is_index = isinstance(value, ast.Tuple)
            is_choice = isinstance(value, ast.IfExp) and isinstance(value.body, ast.Constant)
            if is_name or is_index or is_choice:
                self._bindings[target.id] = self._resolve(value)

    def _loop(self, target: ast.expr, iterable: ast.expr) -> str:
        """A loop in words: ``each of``, or a bound of its index."""
        call = iterable
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "enumerate":
            assert isinstance(target, ast.Tuple)
            index, what = ast.unparse(target.elts[0]), call.args[0]
            if isinstance(what, ast.Call) and ast.unparse(what.func) == f"{_CODER}.items":
                return f"{index} < {self._text(what.args[2])}"
            return f"{index} < len({self._text(what)})"
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "range":
            first = f"{self._text(call.args[0])} <= " if len(call.args) > 1 else ""
            return f"{first}{ast.unparse(target)} < {self._text(call.args[-1])}"
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "zip":
            assert isinstance(target, ast.Tuple)
            return f"{ast.unparse(target.elts[0])} in {self._text(call.args[0])}"
        return f"{ast.unparse(target)} in {self._text(iterable)}"

    def _calls(self, node: ast.AST, conditions: tuple[str, ...]) -> None:
        """Rows of the descriptors and syntax functions that are called within a statement."""
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            for generator in node.generators:
                self._calls(generator.iter, conditions)
                conditions = (*conditions, self._loop(generator.target, generator.iter))
            self._calls(node.elt, conditions)
            return
        for child in ast.iter_child_nodes(node):
            self._calls(child, conditions)
        if not isinstance(node, ast.Call):
            return
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == _CODER:
            self._rows.extend(self._descriptor(node, node.func.attr, conditions))
        elif isinstance(node.func, ast.Name) and node.func.id in self._functions:
            function = self._functions[node.func.id]
            bindings = self._arguments(function, node.args)
            _Walker(self._functions, self._rows, bindings, self._names).block(
                function.body, conditions
            )

    def _arguments(
        self, function: ast.FunctionDef, arguments: list[ast.expr]
    ) -> dict[str, ast.expr]:
        names = [argument.arg for argument in function.args.args]
        values = [self._resolve(argument) for argument in arguments]
        bindings = dict(zip(names, values, strict=False))
        if function.args.vararg is not None:
            bindings[function.args.vararg.arg] = ast.Tuple(values[len(names) :], ast.Load())
        # The message itself, and what is derived from it, is of no interest to a table.
        return {name: value for name, value in bindings.items() if name not in (_CODER, "given")}

    def _descriptor(
        self, call: ast.Call, method: str, conditions: tuple[str, ...]
    ) -> Iterator[SyntaxRow]:
        arguments = [self._resolve(argument) for argument in call.args]
        if method in ("part", "items"):
            return
        if method == "array":
            yield from self._array(arguments[0], arguments[3], conditions)
            return
        if method in ("trailing", "opaque"):
            what = {
                "trailing": "*extension data and trailing bits*",
                "opaque": "*the rest of the payload, not looked at*",
            }[method]
            yield SyntaxRow(what, "u(v)", conditions, "")
            return
        name = _name(arguments[0])
        if method == "ue":
            low, high, index = _defaults(arguments[2:], ("0", str(UE_MAX), "()"))
            yield SyntaxRow(name + _index(index), "ue(v)", conditions, _range(low, high))
        elif method == "u":
            n = ast.unparse(arguments[1])
            low, high, index = _defaults(arguments[3:], ("0", "None", "()"))
            whole = ("0", "None"), ("0", str(2 ** int(n) - 1) if n.isdigit() else "None")
            is_whole = (ast.unparse(low), ast.unparse(high)) in whole
            row_range = "" if is_whole else _range(low, high)
            yield SyntaxRow(name + _index(index), f"u({n})", conditions, row_range)
        elif method == "flag":
            low, index = _defaults(arguments[2:], ("0", "()"))
            row_range = "" if ast.unparse(low) == "0" else _range(low, ast.Constant(1))
            yield SyntaxRow(name + _index(index), "u(1)", conditions, row_range)
        elif method == "rice_codes":
            count, shift = (ast.unparse(argument) for argument in arguments[2:4])
            yield SyntaxRow(f"{name}[i]", f"Rice({shift})", (*conditions, f"i < {count}"), "")
        elif method == "byte_string" and len(arguments) > 2:
            yield SyntaxRow(
                f"{name}[i]", "b(8)", (*conditions, f"i < {ast.unparse(arguments[2])}"), ""
            )
        else:
            (index,) = _defaults(arguments[2:3], ("()",)) if method == "st" else (ast.Tuple([]),)
            code, extra, row_range = {
                "align": ("u(1)", ("while not byte-aligned",), "0"),
                "st": ("st(v)", (), ""),
                "byte_string": ("b(8)", ("to the end of the payload",), ""),
            }[method]
            yield SyntaxRow(name + _index(index), code, (*conditions, *extra), row_range)

    def _array(
        self, fields: ast.expr, indices: ast.expr, conditions: tuple[str, ...]
    ) -> Iterator[SyntaxRow]:
        """Rows of the fields of an array: a tuple of them, or one for each of something."""
        assert isinstance(indices, ast.Lambda)
        assert isinstance(indices.body, ast.GeneratorExp)
        generators = indices.body.generators
        if isinstance(fields, ast.ListComp):
            generators = [*generators, *fields.generators[:-1]]
            fields = fields.generators[-1].iter
        assert isinstance(fields, ast.Tuple)
        loops = (self._loop(generator.target, generator.iter) for generator in generators)
        conditions = (*conditions, *loops)
        index = _index(indices.body.elt)
        names: list[str] = []
        for field in fields.elts:
            assert isinstance(field, ast.Call)
            kind, name = ast.unparse(field.func), _name(field.args[0])
            if kind == "sign":
                own = name.removesuffix("sign_flag")
                present = " or ".join(f"{before.removeprefix(own)} != 0" for before in names)
                yield SyntaxRow(name + index, "u(1)", (*conditions, present), "")
                names.clear()
                continue
            names.append(name)
            named = {keyword.arg: keyword.value for keyword in field.keywords}
            high = named.get("high", ast.Constant(UE_MAX) if kind == "ue" else None)
            row_range = "" if high is None else _range(ast.Constant(0), high)
            if "most" in named:
                row_range = f"each counted one higher, at most {_bound(named['most'])} together"
            code = "ue(v)" if kind == "ue" else f"u({ast.unparse(field.args[1])})"
            yield SyntaxRow(name + index, code, conditions, row_range)


def _defaults(arguments: list[ast.expr], defaults: tuple[str, ...]) -> list[ast.expr]:
    missing = defaults[len(arguments) :]
    return [*arguments, *(ast.parse(default, mode="eval").body for default in missing)]


def _negated(test: ast.expr) -> str:
    opposite = {ast.Eq: "!=", ast.NotEq: "==", ast.In: "not in", ast.Is: "is not", ast.IsNot: "is"}
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return ast.unparse(test.operand)
    if isinstance(test, ast.Compare) and type(test.ops[0]) in opposite:
        left, right = ast.unparse(test.left), ast.unparse(test.comparators[0])
        return f"{left} {opposite[type(test.ops[0])]} {right}"
    if isinstance(test, ast.Name):
        return f"not {test.id}"
    return f"not ({ast.unparse(test)})"


def _name(node: ast.expr) -> str:
    """Text of an element name; a part that varies stands in braces."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_name(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        if isinstance(node.value, ast.Name):
            return "{" + node.value.id + "}"
        return _name(node.value)
    raise ValueError(f"no element name: {ast.unparse(node)}")


def _index(node: ast.expr) -> str:
    """Text of an index tuple."""
    if isinstance(node, ast.Starred):
        return _index(node.value)
    if isinstance(node, ast.Tuple):
        return "".join(_index(item) for item in node.elts)
    return f"[{ast.unparse(node)}]"


def _range(low: ast.expr, high: ast.expr) -> str:
    return f"{_bound(low)}..{_bound(high)}"


def _bound(node: ast.expr) -> str:
    """A bound of a range, great numbers as powers of two."""
    text = ast.unparse(node)
    if isinstance(node, ast.IfExp):
        return f"({text})"
    try:
        value = eval(text, {"__builtins__": {}})  # Arithmetic on constants of our own source.
    except NameError:
        return text
    for less in (1, 2):
        if value > 1024 and (value + less).bit_count() == 1:
            return f"2^{(value + less).bit_length() - 1} - {less}"
    return str(value)
