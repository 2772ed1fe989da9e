"""What a script reads and writes. A part of one program: see 1_module.py."""


class Script:
    """A script with those modules of its folder that it imports."""

    def __init__(self, main, files):
        self.modules = []
        queue, seen = [main], set()
        while queue:
            path = queue.pop(0)
            if path in seen or path not in files:
                continue
            seen.add(path)
            m = Module(path, files[path])
            self.modules.append(m)
            for name in m.imports:
                stem = name.replace(".", "/")
                queue += [stem + ".py", stem + "/__init__.py"]
        self.functions = {}
        for m in self.modules:
            for node in m.of(ast.FunctionDef, ast.AsyncFunctionDef):
                if isinstance(node.parent, ast.Module):
                    self.functions[m.name + "." + node.name] = (m, node)
        self.always = self.called_always()

    def called_always(self):
        """The functions that are called whenever the script is run."""
        always, grown = set(), True
        while grown:
            grown = False
            for m in self.modules:
                for node in m.of(ast.Call):
                    found = self.functions.get(m.full(node.func))
                    if found and found[1] not in always and certain(node, always, tried=True):
                        always.add(found[1])
                        grown = True
        return always

    def facts(self):
        return {"parser": Parser(self).facts(), "reads": list(self.reads()), "dumps": self.dumps(), "columns": Columns(self).facts(),
                "networked": self.networked()}

    def place(self, m, node):
        return {"file": m.path, "line": node.lineno, "column": node.col_offset + 1}

    def networked(self):
        """Imports of what talks to services, but for modules of the folder that are called alike."""
        own, found = {m.name for m in self.modules}, []
        for m in self.modules:
            for node in m.of(ast.Import, ast.ImportFrom):
                if not certain(node, self.always):
                    continue
                base = [m.base(node)] if isinstance(node, ast.ImportFrom) else []
                for name in base + [".".join(base + [a.name]) for a in node.names]:
                    parts = name.split(".")
                    heads = {".".join(parts[: i + 1]) for i in range(len(parts))}
                    if heads & NETWORKED and not heads & own and not getattr(node, "level", 0):
                        found.append(dict(self.place(m, node), name=name))
                        break
        return found

    # Channels and container paths.

    def reads(self):
        guarded = self.guarded()
        for m in self.modules:
            for node in m.of(ast.Subscript, ast.Call, ast.Constant):
                key = self.channel(m, node)
                if key and key not in guarded and certain(node, self.always):
                    yield dict(self.place(m, node), kind="channel", name=key[len("SM_CHANNEL_"):], option="")
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    for read in self.path(m, node, guarded):
                        yield read

    def guarded(self):
        """Variables and names that the script asks about, or sets, somewhere."""
        found = set()
        for m in self.modules:
            for node in m.of(ast.Compare, ast.Subscript, ast.Call):
                if isinstance(node, ast.Compare) and isinstance(node.left, ast.Constant):
                    found.add(node.left.value)
                elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                    found.add(m.fold(node.slice))
                elif isinstance(node, ast.Call) and last(node.func) in PROBING | {"pop"}:
                    if isinstance(node.func, ast.Attribute):
                        found.add(dotted(node.func.value))
                    for arg in node.args:
                        found.add(dotted(arg))
                        if last(node.func) in ("setdefault", "pop"):
                            found.add(m.fold(arg))
        return found

    def channel(self, m, node):
        """SM_CHANNEL_X if the node fails when that variable is not set."""
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and m.full(node.value) == "os.environ":
            key = m.fold(node.slice)
        elif isinstance(node, ast.Call) and m.full(node.func) in ("os.environ.get", "os.getenv") and len(node.args) == 1 and not node.keywords:
            up = node.parent
            needs = isinstance(up, ast.Call) and node in up.args and last(up.func) in NEEDING
            if not needs and not (isinstance(up, ast.BinOp) and isinstance(up.op, ast.Div)):
                return ""
            key = m.fold(node.args[0])
        else:
            return ""
        return key if isinstance(key, str) and key.startswith("SM_CHANNEL_") and len(key) > 11 else ""

    def path(self, m, node, guarded):
        text, option = node.value, ""
        if not (text + "/").startswith(tuple(c + "/" for c in CONTAINER)) or not set(text) <= PATH_CHARS:
            return
        child, up = node, node.parent
        while True:
            if isinstance(up, ast.BinOp) and isinstance(up.op, ast.Div) and child is up.left:
                more = m.fold(up.right)
                text = text.rstrip("/") + "/" + more if isinstance(more, str) else text
            elif isinstance(up, ast.Call) and child in up.args and last(up.func) in ("Path", "PurePath", "PurePosixPath"):
                pass
            elif isinstance(up, ast.Call) and child in up.args and last(up.func) == "join" and up.args[0] is child:
                for arg in up.args[1:]:
                    more = m.fold(arg)
                    if not isinstance(more, str):
                        break
                    text = text.rstrip("/") + "/" + more
            else:
                break
            child, up = up, up.parent
        if isinstance(up, ast.keyword) and up.arg == "default" and last(up.parent.func) == "add_argument":
            flags = [m.fold(a) for a in up.parent.args]
            option = next((f for f in flags if isinstance(f, str) and f.startswith("-")), "")
            if not option:
                return
        elif isinstance(up, ast.Assign) and len(up.targets) == 1 and isinstance(up.targets[0], ast.Name):
            name = up.targets[0].id
            if name in guarded or not self.loaded(m, name):
                return
        elif isinstance(up, ast.Call) and child in up.args:
            if last(up.func) in SPEAKING | PROBING:
                return
        else:
            return
        if certain(child, self.always):
            yield dict(self.place(m, node), kind="path", name=text, option=option)

    def loaded(self, m, name):
        if m.stored.get(name) != 1:
            return False
        return any(n.id == name and isinstance(n.ctx, ast.Load) and certain(n, self.always) for n in m.of(ast.Name))

    # Reports.

    def dumps(self):
        """The calls that write JSON in which NaN may stand; none if the script takes care of NaN anywhere."""
        found = []
        for m in self.modules:
            if NAN_MODULES & {i.split(".")[0] for i in m.imports}:
                return []
            for node in m.of(ast.Attribute, ast.Name, ast.Call):
                if not isinstance(node, ast.Call) and last(node) in NAN_WORDS:
                    return []
                if not isinstance(node, ast.Call) or m.full(node.func) not in ("json.dump", "json.dumps"):
                    continue
                keys = {k.arg: k.value for k in node.keywords}
                if None in keys or "cls" in keys or m.fold(keys.get("allow_nan", ast.Constant(value=True))) is not True:
                    return []
                if self.writes(m, node) and not (node.args and self.plain(node.args[0])) and certain(node, self.always):
                    found.append(dict(self.place(m, node), target=self.target(m, node)))
        return found

    def plain(self, what):
        """Whether nothing in what is written can be a float."""
        if isinstance(what, ast.Dict):
            return all(self.plain(v) for v in what.values)
        if isinstance(what, (ast.List, ast.Tuple)):
            return all(self.plain(v) for v in what.elts)
        return isinstance(what, ast.Constant) or isinstance(what, ast.Call) and isinstance(what.func, ast.Name) and what.func.id in PLAIN_CALLS

    def target(self, m, node):
        """The name of the file that a dump goes to, if it stands in the script; else empty."""
        if m.full(node.func) == "json.dump":
            to = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "fp"), None)
        else:
            up = node.parent
            while up is not None and not (isinstance(up, ast.Call) and last(up.func) in ("write", "write_text", "write_bytes")):
                up = getattr(up, "parent", None)
            to = up.func.value if up is not None and isinstance(up.func, ast.Attribute) else None
        return self.file_name(m, to, 0)

    def file_name(self, m, node, depth):
        """The last part of a path, or of the path of an open file."""
        if isinstance(node, ast.Name) and depth < 5:
            given = [w.context_expr for n in m.of(ast.With) for w in n.items if dotted(w.optional_vars) == node.id] \
                + [n.value for n in m.of(ast.Assign) if any(dotted(t) == node.id for t in n.targets)]
            return self.file_name(m, given[0], depth + 1) if len(given) == 1 == m.stored.get(node.id) else ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            node = node.right
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "open":
            return self.file_name(m, node.func.value, depth + 1)
        elif isinstance(node, ast.Call) and node.args and last(node.func) == "open":
            return self.file_name(m, node.args[0], depth + 1)
        elif isinstance(node, ast.Call) and node.args and last(node.func) in ("join", "Path", "PurePath", "PurePosixPath"):
            return self.file_name(m, node.args[-1], depth + 1)
        text = m.fold(node) if node is not None else UNKNOWN
        return text.rsplit("/", 1)[-1] if isinstance(text, str) else ""

    def writes(self, m, node):
        """Whether the result of a dump goes into a file."""
        if m.full(node.func) == "json.dump":
            to = node.args[1] if len(node.args) > 1 else next((k.value for k in node.keywords if k.arg == "fp"), None)
            return to is not None and m.full(to) not in ("sys.stdout", "sys.stderr")
        child, up = node, node.parent
        while isinstance(up, (ast.BinOp, ast.JoinedStr, ast.FormattedValue)) or isinstance(up, ast.Attribute) and up.attr == "encode" \
                or isinstance(up, ast.Call) and child is up.func:
            child, up = up, up.parent
        if isinstance(up, ast.Assign) and len(up.targets) == 1 and isinstance(up.targets[0], ast.Name):
            name = up.targets[0].id
            return any(n.id == name and isinstance(n.ctx, ast.Load) and self.into_file(m, n) for n in m.of(ast.Name))
        return self.into_file(m, child)

    def into_file(self, m, node):
        up = node.parent
        while isinstance(up, (ast.BinOp, ast.JoinedStr, ast.FormattedValue)) or isinstance(up, ast.Attribute) and up.attr == "encode" \
                or isinstance(up, ast.Call) and node is up.func:
            node, up = up, up.parent
        if not isinstance(up, ast.Call) or node not in up.args:
            return False
        if isinstance(up.func, ast.Name) and up.func.id == "print":
            return any(k.arg == "file" and m.full(k.value) not in ("sys.stdout", "sys.stderr") for k in up.keywords)
        if isinstance(up.func, ast.Attribute) and up.func.attr in ("write", "write_text", "write_bytes"):
            return not m.full(up.func.value).startswith(("sys.stdout", "sys.stderr"))
        return False
