"""Which columns of its inputs a script needs. A part of one program: see 1_module.py."""

READERS = {"read_csv", "read_table", "read_parquet", "read_excel", "read_feather", "read_json", "read_orc"}
KEEPING = {"copy", "dropna", "head", "tail", "sample", "sort_values", "sort_index", "reset_index", "drop_duplicates", "fillna",
           "replace", "query", "astype", "convert_dtypes", "infer_objects", "round", "clip"}
SAME_PLACE = {"join", "Path", "PurePath", "PurePosixPath", "str", "fspath", "open", "abspath", "realpath", "normpath", "expanduser",
              "glob", "iglob", "sorted", "next", "iter", "list"}
SAME_OBJECT = {"open", "resolve", "absolute", "expanduser", "joinpath", "glob", "rglob", "iterdir", "as_posix"}
PROVIDING = {"get", "insert", "setdefault", "rename", "reindex", "isin", "index", "remove", "discard", "difference", "intersection"}
DEPTH = 12
EFFORT = 50000


class Flow:
    """Where values come from: from which argument or path of the container, by way of names and calls.

    A name stands for what it is set to in its function, if all of that comes from one place. What
    comes from nowhere else than itself (table = table.copy()) says nothing.
    """

    def __init__(self, script):
        self.script = script
        self.effort = EFFORT
        self.sets = {}   # of a scope, by name: what it is set to, as (how, node)
        self.calls = {}  # of a function: where it is called
        for m in script.modules:
            for node in m.nodes:
                self.note(m, node)

    def note(self, m, node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.set(m, target, "value", node.value)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self.set(m, node.target, "value", node.value)
        elif isinstance(node, ast.AugAssign):
            self.set(m, node.target, "other", node)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self.set(m, node.target, "element", node.iter)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    self.set(m, item.optional_vars, "value", item.context_expr)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for name in node.names:
                self.sets.setdefault((m, scope(node)), {}).setdefault(name, []).append(("other", node))
        elif isinstance(node, ast.Call):
            found = self.script.functions.get(m.full(node.func))
            if found:
                self.calls.setdefault(found[1], []).append((m, node))

    def set(self, m, target, how, node):
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.set(m, part, "other", node)
        elif isinstance(target, ast.Starred):
            self.set(m, target.value, "other", node)
        elif isinstance(target, ast.Name):
            self.sets.setdefault((m, scope(target)), {}).setdefault(target.id, []).append((how, node))

    def argument(self, m, node):
        """The name under which an expression was parsed, or empty."""
        found = self.trace(self.place_step, m, node)
        return found[1] if found and found[0] == "argument" else ""

    def place(self, m, node):
        """The argument or path whose file or folder an expression is, or leads into, or None."""
        return self.trace(self.place_step, m, node, into=True)

    def table(self, m, node):
        """The place that a table, or a row, was read from with all its columns, or None."""
        found = self.trace(self.table_step, m, node)
        return found[1] if found and found[0] == "table" else None

    def rows(self, m, node):
        """The place that rows or chunks, which have the columns each, are read from one by one, or None."""
        found = self.trace(self.table_step, m, node)
        return found[1] if found and found[0] == "rows" else None

    def trace(self, step, m, node, depth=0, seen=frozenset(), into=False):
        """What a step says of an expression, by way of names, branches and functions of the script."""
        self.effort -= 1
        if depth > DEPTH or self.effort < 0:
            return None

        def again(m, x):
            return self.trace(step, m, x, depth + 1, seen, into)

        found = step(m, node, again, into)
        if found:
            return found
        if isinstance(node, ast.IfExp):
            return agreed([again(m, node.body), again(m, node.orelse)])
        if isinstance(node, ast.Call):
            called = self.script.functions.get(m.full(node.func))
            if called is None or called[1] in seen or has_yield(called[1]):
                return None
            other, function = called
            returned = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and scope(n) is function]
            if not returned or None in returned:
                return None
            return agreed([self.trace(step, other, x, depth + 1, seen | {function}, into) for x in returned])
        if isinstance(node, ast.Name):
            return self.named(step, m, node, depth, seen, into)
        return None

    def named(self, step, m, node, depth, seen, into):
        where = scope(node)
        while where is not None and not self.bound(m, where, node.id):
            where = scope(where)
        key = (m, where, node.id)
        if key in seen:
            return SAME
        values = []
        for how, value in self.sets.get((m, where), {}).get(node.id, ()):
            if how == "other":
                return None
            found = self.trace(step, m, value, depth + 1, seen | {key}, into)
            if how == "element":
                found = ("table", found[1]) if found and found[0] == "rows" else found if step == self.place_step and into else None
            values.append(found)
        if where is not None and node.id in [a.arg for a in parameters(where)]:
            given = [self.given(where, node.id, call) for _, call in self.calls.get(where, ())]
            if not given or None in given:
                return None
            for (other, _), value in zip(self.calls[where], given):
                values.append(self.trace(step, other, value, depth + 1, seen | {key}, into))
        return agreed(values)

    def bound(self, m, where, name):
        return name in self.sets.get((m, where), {}) or name in [a.arg for a in parameters(where)]

    def given(self, function, name, call):
        """What a call gives for a parameter, or None."""
        if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
            return None
        for k in call.keywords:
            if k.arg == name:
                return k.value
        names = [a.arg for a in function.args.posonlyargs + function.args.args]
        if name in names and names.index(name) < len(call.args):
            return call.args[names.index(name)]
        return None

    # Places.

    def place_step(self, m, node, again, into):
        if isinstance(node, ast.Attribute) and self.parsed(m, node.value):
            return ("argument", node.attr)
        if not into:
            return None
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (node.value + "/").startswith(tuple(c + "/" for c in CONTAINER)):
            return ("path", node.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Add)):
            return again(m, node.left)
        if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.FormattedValue):
            return again(m, node.values[0].value)
        if isinstance(node, ast.Subscript):
            return again(m, node.value)
        if isinstance(node, ast.Call) and m.full(node.func) not in self.script.functions:
            name = last(node.func)
            if isinstance(node.func, ast.Attribute) and name in SAME_OBJECT and not (isinstance(node.func.value, ast.Name) and node.func.value.id in m.aliases):
                return again(m, node.func.value)
            if name in SAME_PLACE and node.args:
                return again(m, node.args[0])
        return None

    def parsed(self, m, node):
        """Whether an expression is what the script's parser made of the command line."""
        found = self.trace(self.parsed_step, m, node)
        return found is not None and found[0] == "parsed"

    def parsed_step(self, m, node, again, into):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "parse_args":
            return ("parsed", "")
        return None

    # Tables.

    def table_step(self, m, node, again, into):
        if isinstance(node, ast.Call):
            return self.read(m, node) or self.kept(m, node, again)
        if isinstance(node, ast.Subscript):
            found = again(m, node.value)
            if isinstance(node.slice, (ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp)) and found and found[0] != "rows":
                return found
            if found and found[0] == "rows" and isinstance(m.fold(node.slice), int):
                return ("table", found[1])
        if isinstance(node, ast.Attribute) and node.attr in ("loc", "iloc") and isinstance(getattr(node, "parent", None), ast.Subscript):
            return again(m, node.value)
        return None

    def read(self, m, node):
        """A table that a call reads from a place, with the columns that it has there."""
        full, keys = m.full(node.func), {k.arg: k.value for k in node.keywords}
        if not node.args or None in keys:
            return None
        if full == "csv.DictReader" and len(node.args) == 1 and "fieldnames" not in keys:
            found = self.place(m, node.args[0])
            return ("rows", found) if found and found is not SAME else None
        if not full.startswith("pandas.") or last(node.func) not in READERS or len(node.args) > 1 or "names" in keys:
            return None
        if "header" in keys and m.fold(keys["header"]) not in (0, "infer"):
            return None
        found = self.place(m, node.args[0])
        if not found or found is SAME:
            return None
        return ("rows" if "chunksize" in keys or "iterator" in keys else "table", found)

    def kept(self, m, node, again):
        """A table of which a call leaves the columns as they are."""
        if isinstance(node.func, ast.Attribute) and node.func.attr in KEEPING:
            found = again(m, node.func.value)
            return found if found and found[0] != "rows" else None
        if isinstance(node.func, ast.Name) and node.func.id in ("list", "tuple", "next") and len(node.args) == 1:
            found = again(m, node.args[0])
            if found and found[0] == "rows":
                return ("table", found[1]) if node.func.id == "next" else found
        return None


SAME = ("same", None)  # what comes from nowhere else than itself


def agreed(values):
    """What all values say, apart from those that say nothing new; None if they differ or one is not known."""
    told = [v for v in values if v is not SAME]
    if not told:
        return SAME if values else None
    return told[0] if all(v is not None and v == told[0] for v in told) else None


def scope(node):
    """The function that a node stands in, or None for the module."""
    node = getattr(node, "parent", None)
    while node is not None and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        node = getattr(node, "parent", None)
    return node


def parameters(function):
    if function is None:
        return []
    a = function.args
    return a.posonlyargs + a.args + a.kwonlyargs + [x for x in (a.vararg, a.kwarg) if x]


def has_yield(function):
    return any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(function))


class Columns:
    """The columns that a script needs of what it is given, each with when it does."""

    def __init__(self, script):
        self.script = script
        self.flow = Flow(script)
        self.ways = Ways(script, self.flow)

    def facts(self):
        provided = self.provided()
        found = []
        for m in self.script.modules:
            for node in m.of(ast.Subscript, ast.Call):
                place, names = self.needs(m, node)
                for name in names:
                    if name in provided or not isinstance(name, str):
                        continue
                    ways = self.ways.to(m, node)
                    if ways:
                        found.append(dict(self.script.place(m, node), name=name, argument=place[1] if place[0] == "argument" else "",
                                          path=place[1] if place[0] == "path" else "",
                                          ways=[[dict(argument=a, value=v, equal=e) for a, v, e in w] for w in ways]))
        return found

    def provided(self):
        """Names that the script asks about, makes or does without, somewhere."""
        found = set()
        for m in self.script.modules:
            for node in m.of(ast.Compare, ast.Subscript, ast.Call):
                if isinstance(node, ast.Compare):
                    for part in [node.left] + node.comparators:
                        found.update(self.names(m, part))
                elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                    part = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
                    found.update(self.names(m, part))
                elif isinstance(node, ast.Call):
                    forgiving = any(k.arg == "errors" for k in node.keywords) or last(node.func) == "pop" and len(node.args) > 1
                    if last(node.func) in PROVIDING or forgiving:
                        for part in node.args + [k.value for k in node.keywords]:
                            found.update(self.names(m, part))
                    if last(node.func) == "assign":
                        found.update(k.arg for k in node.keywords)
        return found

    def names(self, m, node):
        """The texts that an expression holds: one, or those of a list or of the values of a dictionary."""
        if isinstance(node, ast.Name) and m.stored.get(node.id) == 1:
            for stmt in m.tree.body:
                if isinstance(stmt, ast.Assign) and len(stmt.targets) == 1 and dotted(stmt.targets[0]) == node.id \
                        and isinstance(stmt.value, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
                    return self.names(m, stmt.value)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [n for part in node.elts for n in self.names(m, part)]
        if isinstance(node, ast.Dict):
            return [n for part in node.values if part is not None for n in self.names(m, part)]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.names(m, node.left) + self.names(m, node.right)
        text = m.fold(node)
        return [text] if isinstance(text, str) else []

    def needs(self, m, node):
        """The place and the columns without which a node fails."""
        nothing = (None, [])
        if isinstance(node, ast.Subscript):
            if not isinstance(node.ctx, ast.Load):
                return nothing
            part = node.slice
            if isinstance(node.value, ast.Attribute) and node.value.attr == "loc":
                if not isinstance(part, ast.Tuple) or len(part.elts) != 2:
                    return nothing
                part = part.elts[1]
            return self.of(m, node.value, self.names(m, part) if not isinstance(part, ast.Dict) else [])
        keys = {k.arg: k.value for k in node.keywords}
        if None in keys or "errors" in keys:
            return nothing
        read = self.flow.read(m, node)
        if read:
            names = self.names(m, keys["usecols"]) if "usecols" in keys else []
            return (read[1], names) if names else nothing
        if not isinstance(node.func, ast.Attribute):
            return nothing
        first = self.names(m, node.args[0]) if node.args else []
        names = {
            "pop": first if len(node.args) == 1 else [],
            "drop": self.names(m, keys["columns"]) if "columns" in keys else first if m.fold(keys.get("axis", UNKNOWN_NODE)) in (1, "columns") else [],
            "dropna": self.names(m, keys["subset"]) if "subset" in keys else [],
            "groupby": first, "set_index": first,
            "sort_values": self.names(m, keys["by"]) if "by" in keys else first,
        }.get(node.func.attr, [])
        return self.of(m, node.func.value, names)

    def of(self, m, node, names):
        place = self.flow.table(m, node) if names else None
        return (place, names) if place else (None, [])


UNKNOWN_NODE = ast.Constant(value=0)
