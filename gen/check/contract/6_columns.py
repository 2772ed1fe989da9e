"""Which columns of its inputs a script needs. A part of one program: see 1_module.py."""

PROVIDING = {"get", "insert", "setdefault", "rename", "reindex", "isin", "index", "remove", "discard", "difference", "intersection"}


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
