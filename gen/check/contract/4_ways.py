"""Under which arguments something in a script is run. A part of one program: see 1_module.py."""

LOSING = {"KeyError", "LookupError", "IndexError", "ValueError", "Exception", "BaseException"}
LEAVING = ("sys.exit", "os._exit", "quit", "exit", "SystemExit")
MOST_WAYS = 16


class Ways:
    """When a place is reached for certain: a list of ways, each a list of conditions that must all hold.

    A condition is (argument, value, equal): that the parsed argument of that name is the text, or is
    not; with None for the value, that it is given at all. No way means that it cannot be decided.
    """

    def __init__(self, script, flow):
        self.script, self.flow = script, flow
        self.known = {}

    def to_function(self, function):
        """The ways in which a function is called."""
        if function not in self.known:
            self.known[function] = []  # for one that calls itself
            ways = []
            for m, call in self.flow.calls.get(function, ()):
                ways += self.to(m, call)
            self.known[function] = ways[:MOST_WAYS]
        return self.known[function]

    def to(self, m, node):
        conditions, child = [], node
        while True:
            parent = getattr(child, "parent", None)
            if parent is None:
                return [conditions]
            before = self.before(m, parent, child)
            inside = self.inside(m, parent, child)
            if before is None or inside is None:
                return []
            conditions = conditions + before + inside
            if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)) and child in parent.body:
                if has_yield(parent):
                    return []  # it runs when somebody asks for what it yields
                return [conditions + way for way in self.to_function(parent)]
            child = parent

    def inside(self, m, parent, child):
        """The conditions under which a part of a node is run when the node is, or None."""
        if isinstance(parent, (ast.If, ast.IfExp)) and child is not parent.test:
            if isinstance(parent, ast.If) and is_main(parent.test):
                return [] if child in parent.body else None
            wanted = self.test(m, parent.test)
            body = child in parent.body if isinstance(parent, ast.If) else child is parent.body
            return wanted if body else negated(wanted)
        if isinstance(parent, ast.BoolOp) and child is not parent.values[0]:
            return None
        if isinstance(parent, (ast.For, ast.AsyncFor)) and child is not parent.iter:
            return [] if child in parent.body and self.flow.rows(m, parent.iter) else None
        if isinstance(parent, ast.Try):
            return [] if child in parent.body and not any(self.catches(m, h) for h in parent.handlers) or child in parent.finalbody else None
        if isinstance(parent, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            g = parent.generators
            return [] if child is g[0] or len(g) == 1 and not g[0].ifs and self.flow.rows(m, g[0].iter) else None
        if isinstance(parent, ast.comprehension):
            return [] if child is parent.iter else None
        if isinstance(parent, (ast.Lambda, ast.While, ast.ExceptHandler, ast.ClassDef)) or type(parent).__name__ in ("match_case", "TryStar"):
            return None
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return [] if child in parent.body else None
        return []

    def catches(self, m, handler):
        """Whether a handler may take what a missing column raises, and go on."""
        if isinstance(handler.body[-1], ast.Raise):
            return False
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(k is None or last(k) in LOSING or not last(k) or last(k) in m.stored for k in kinds)

    def before(self, m, parent, child):
        """The conditions under which what stands before a statement in its block comes to it, or None."""
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(parent, block, None)
            if isinstance(statements, list) and child in statements:
                break
        else:
            return []
        conditions = []
        for stmt in statements[: statements.index(child)]:
            if not self.leaves(m, stmt):
                continue
            if not isinstance(stmt, ast.If):
                return None
            wanted = self.test(m, stmt.test)
            inner = any(self.leaves(m, s) for s in stmt.body)
            outer = any(self.leaves(m, s) for s in stmt.orelse)
            if inner and not outer and self.ends(m, stmt.body):
                more = negated(wanted)
            elif outer and not inner and self.ends(m, stmt.orelse):
                more = wanted
            else:
                more = None
            if more is None:
                return None
            conditions += more
        return conditions

    def leaves(self, m, stmt):
        """Whether a statement may leave its block with success. One that raises fails as well."""
        todo = [stmt]
        while todo:
            node = todo.pop()
            if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
                return True
            if isinstance(node, ast.Raise) and last(node.exc) == "SystemExit" or isinstance(node, ast.Call) \
                    and (m.full(node.func) in LEAVING or isinstance(node.func, ast.Name) and node.func.id in LEAVING):
                code = 0 if isinstance(node, ast.Raise) or not node.args else m.fold(node.args[0])
                if code is UNKNOWN or not code:
                    return True
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
                todo += ast.iter_child_nodes(node)
        return False

    def ends(self, m, statements):
        """Whether a block is left at its end for certain."""
        end = statements[-1]
        return isinstance(end, (ast.Return, ast.Break, ast.Continue, ast.Raise)) or isinstance(end, ast.Expr) and self.leaves(m, end)

    def test(self, m, node):
        """The conditions that a test stands for, or None."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return negated(self.test(m, node.operand))
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            parts = [self.test(m, v) for v in node.values]
            return None if None in parts else [c for p in parts for c in p]
        if not isinstance(node, ast.Compare):
            name = self.flow.argument(m, node)
            return [(name, None, True)] if name else None
        if len(node.ops) != 1:
            return None
        op, left, right = node.ops[0], node.left, node.comparators[0]
        if isinstance(op, (ast.Is, ast.IsNot)) and isinstance(right, ast.Constant) and right.value is None:
            name = self.flow.argument(m, left)
            return [(name, None, isinstance(op, ast.IsNot))] if name else None
        if not isinstance(op, (ast.Eq, ast.NotEq)):
            return None
        if isinstance(left, ast.Constant):
            left, right = right, left
        name, value = self.flow.argument(m, left), m.fold(right)
        return [(name, value, isinstance(op, ast.Eq))] if name and isinstance(value, str) else None


def negated(conditions):
    """The opposite of conditions, which is one only of one, or None."""
    if conditions is None or len(conditions) != 1:
        return None
    name, value, equal = conditions[0]
    return [(name, value, not equal)]
