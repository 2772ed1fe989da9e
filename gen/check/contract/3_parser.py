"""What a script accepts. A part of one program: see 1_module.py."""


class Parser:
    """The argparse parser of a script, as far as it can be seen."""

    def __init__(self, script):
        self.script = script
        self.open = False     # may accept anything
        self.known = False    # leaves unknown arguments alone
        self.abbrev = True    # accepts beginnings of its options
        self.parses = False
        self.made, self.parents = 0, False
        self.options, self.defaults = [], {}
        self.names, self.makers = set(), set()

    def facts(self):
        for m in self.script.modules:
            for node in m.of(ast.ClassDef, ast.Call):
                self.creation(m, node)
        if not self.made:
            return None
        while self.grow():
            pass
        for m in self.script.modules:
            for node in m.of(ast.Call, ast.Attribute, ast.Name):
                if isinstance(node, ast.Call):
                    self.call(m, node)
                elif last(node) == "argv" and m.full(node) == "sys.argv":
                    self.argv(m, node)
        if not self.parses:
            return None
        if self.made > 1 and not self.parents:
            self.open = True
        for o in self.options:
            for d in (o["dest"], "*"):
                if d in self.defaults:
                    o["default"], o["nodefault"] = self.defaults[d], False
        return {"open": self.open, "known": self.known, "abbrev": self.abbrev, "options": self.options}

    def creation(self, m, node):
        if isinstance(node, ast.ClassDef) and any(m.full(b) == "argparse.ArgumentParser" for b in node.bases):
            self.open = True
            self.made += 1
        if not isinstance(node, ast.Call) or m.full(node.func) != "argparse.ArgumentParser":
            return
        self.made += 1
        for k in node.keywords:
            if k.arg in (None, "prefix_chars", "fromfile_prefix_chars", "argument_default", "conflict_handler", "exit_on_error"):
                self.open = True
            elif k.arg == "parents":
                self.parents = True
            elif k.arg == "allow_abbrev":
                self.abbrev = m.fold(k.value) is not False

    def is_parser(self, m, node):
        """Whether an expression is a parser, or a group of one."""
        if isinstance(node, ast.Call):
            full = m.full(node.func)
            if full == "argparse.ArgumentParser" or full in self.makers:
                return True
            return isinstance(node.func, ast.Attribute) and node.func.attr in ("add_argument_group", "add_mutually_exclusive_group") \
                and self.is_parser(m, node.func.value)
        return m.full(node) in self.names

    def grow(self):
        """Finds more names for parsers: by assignment, by passing them on, by returning them."""
        before = len(self.names) + len(self.makers)
        for m in self.script.modules:
            for node in m.of(ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.Return, ast.Call):
                if isinstance(node, ast.Assign) and self.is_parser(m, node.value):
                    self.names.update(m.full(t) for t in node.targets if dotted(t))
                elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None and self.is_parser(m, node.value):
                    self.names.add(m.full(node.target))
                elif isinstance(node, ast.Return) and node.value is not None and self.is_parser(m, node.value):
                    up = node.parent
                    while up is not None and not isinstance(up, (ast.FunctionDef, ast.AsyncFunctionDef)):
                        up = getattr(up, "parent", None)
                    if up is not None:
                        self.makers.add(m.name + "." + up.name)
                elif isinstance(node, ast.Call):
                    self.passed_on(m, node)
        return len(self.names) + len(self.makers) > before

    def passed_on(self, m, node):
        found = self.script.functions.get(m.full(node.func))
        given = [(i, a) for i, a in enumerate(node.args)] + [(k.arg, k.value) for k in node.keywords]
        for where, value in given:
            if isinstance(value, ast.Starred) or not self.is_parser(m, value):
                continue
            if found is None:
                if last(node.func) not in HARMLESS:
                    self.open = True
                continue
            module, function = found
            params = [a.arg for a in function.args.args]
            if isinstance(where, int) and where < len(params):
                self.names.add(module.name + "." + params[where])
            elif where in params:
                self.names.add(module.name + "." + where)
            else:
                self.open = True

    def call(self, m, node):
        if not isinstance(node.func, ast.Attribute):
            return
        method, ours = node.func.attr, self.is_parser(m, node.func.value)
        if method == "add_argument":
            self.option(m, node, ours)
        elif method in ("parse_known_args", "parse_known_intermixed_args"):
            self.known = self.parses = True
        elif method in ("parse_args", "parse_intermixed_args"):
            self.parses = True
            self.arguments(m, node)
        elif method in ("add_subparsers", "add_parser") or ours and method.startswith("_"):
            self.open = True
        elif method == "set_defaults":
            for k in node.keywords:
                self.defaults[k.arg or "*"] = self.default(m.fold(k.value))

    def arguments(self, m, node):
        """What parse_args is given must be the command line."""
        given = node.args[:1] + [k.value for k in node.keywords if k.arg == "args"]
        if given and not self.command_line(m, given[0], 0):
            self.open = True

    def command_line(self, m, node, depth):
        """Whether an expression is the command line, or None, perhaps handed on by callers."""
        if isinstance(node, ast.Constant) and node.value is None or self.is_argv(m, node):
            return True
        up = node
        while up is not None and not isinstance(up, ast.FunctionDef):
            up = getattr(up, "parent", None)
        if up is None or depth > 5 or not isinstance(node, ast.Name):
            return False
        params = up.args.args
        index = next((i for i, a in enumerate(params) if a.arg == node.id), None)
        if index is None or any(isinstance(n, ast.Name) and n.id == node.id and not isinstance(n.ctx, ast.Load) for n in ast.walk(up)):
            return False
        fallback = up.args.defaults[index - len(params):] if index >= len(params) - len(up.args.defaults) else []
        if fallback and not self.command_line(m, fallback[0], depth + 1):
            return False
        for other in self.script.modules:
            for c in other.of(ast.Call):
                if other.full(c.func) == m.name + "." + up.name:
                    value = [k.value for k in c.keywords if k.arg == node.id] + c.args[index:index + 1]
                    if value and not self.command_line(other, value[0], depth + 1):
                        return False
        return True

    def is_argv(self, m, node):
        return isinstance(node, ast.Subscript) and m.full(node.value) == "sys.argv" and isinstance(node.slice, ast.Slice) \
            and isinstance(node.slice.lower, ast.Constant) and node.slice.lower.value == 1 and node.slice.upper is None

    def argv(self, m, node):
        """Any use of sys.argv but handing all of it on, or naming the program, decides nothing."""
        up = node.parent
        if isinstance(up, ast.Subscript) and isinstance(up.ctx, ast.Load) and (self.is_argv(m, up) or m.fold(up.slice) == 0):
            return
        self.open = True

    def option(self, m, node, ours):
        flags = [m.fold(a) for a in node.args]
        if any(isinstance(a, ast.Starred) for a in node.args) or not all(isinstance(f, str) and f for f in flags):
            self.open = True
            return
        keys = {k.arg: k.value for k in node.keywords}
        if not flags:
            self.open = True  # a positional with only a dest
            return
        sure = ours and None not in keys and certain(node, self.script.always, tried=True)
        action = keys.get("action")
        action_name = "store" if action is None else m.fold(action)
        full = m.full(action) if action is not None else ""
        if full.endswith("BooleanOptionalAction"):
            action_name = "boolean"
        nargs = m.fold(keys["nargs"]) if "nargs" in keys else None
        takes = "one"
        if action_name in ("store_true", "store_false", "store_const", "append_const", "count", "help", "version", "boolean"):
            takes = "none"
        elif action_name not in ("store", "append", "extend") or nargs not in (None, "?", "*", "+", 1):
            takes = "unknown"
        positional = not flags[0].startswith("-")
        required = m.fold(keys["required"]) if "required" in keys else False
        if positional:
            required = nargs not in ("?", "*") and full == "" and "nargs" not in keys
        elif action_name == "boolean" or full and action_name is UNKNOWN:
            required = required is True
        group = node.func.value
        choices = None
        if "choices" in keys and isinstance(keys["choices"], (ast.List, ast.Tuple, ast.Set)):
            choices = [m.fold(e) for e in keys["choices"].elts]
            choices = None if UNKNOWN in choices else [str(c) for c in choices]
        kind = "str" if "type" not in keys else "other"
        if "type" in keys and isinstance(keys["type"], ast.Name) and keys["type"].id in ("float", "int", "str", "bool") \
                and keys["type"].id not in m.aliases and keys["type"].id not in m.stored:
            kind = keys["type"].id
        long = next((f for f in flags if f.startswith("--")), flags[0])
        dest = m.fold(keys["dest"]) if "dest" in keys else long.lstrip("-").replace("-", "_")
        self.options.append(dict(
            self.script.place(m, node),
            flags=flags + (["--no-" + f[2:] for f in flags if f.startswith("--")] if action_name == "boolean" else []),
            positional=positional, sure=sure, takes=takes, type=kind, choices=choices, dest=dest if isinstance(dest, str) else "",
            required=sure and required is True and not self.exclusive(m, group),
            default=self.default(m.fold(keys["default"]) if "default" in keys else None),
            nodefault=m.fold(keys["default"]) is None if "default" in keys else True))

    def exclusive(self, m, group):
        """Whether a group may be mutually exclusive: then no option of it is required for itself."""
        if isinstance(group, ast.Call):
            return last(group.func) == "add_mutually_exclusive_group"
        name = m.full(group)
        for other in self.script.modules:
            for n in other.of(ast.Assign):
                if any(other.full(t) == name for t in n.targets) and isinstance(n.value, ast.Call) \
                        and last(n.value.func) == "add_mutually_exclusive_group":
                    return True
        return False

    def default(self, value):
        """A literal as JSON holds it; None stands for no default, and for one that is not known."""
        if isinstance(value, (bool, str)):
            return value
        if isinstance(value, (int, float)) and value == value and abs(value) != float("inf"):
            return value
        return None
