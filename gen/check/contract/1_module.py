"""Reads what Python scripts say about their surroundings, and runs nothing of them.

This file and its neighbours are one program, joined in the order of their names.

In, as JSON on standard input: {"scripts": [{"main": "train.py", "files": {path: source}}]}.
Out, as JSON on standard output: for each script the options of its argparse parser, the
channels and container paths that it reads for certain, the places where it writes JSON, the
columns of its inputs that it cannot do without, each with the arguments under which, and
the modules that it imports for certain and that talk to services.

The rule everywhere: what cannot be decided is left out, or marked so that the reader of
the answer leaves it alone. A parser that is `open` may accept anything.
"""
import ast
import json
import sys

HARMLESS = {"print", "isinstance", "len", "str", "repr", "type", "id", "vars"}
SPEAKING = {"print", "info", "debug", "warning", "error", "exception", "critical", "exit", "log"}
PROBING = {"exists", "isdir", "isfile", "is_dir", "is_file", "startswith", "endswith", "get", "getenv",
           "setdefault", "getattr", "glob", "makedirs", "mkdir", "setenv", "replace", "add_parser"}
NEEDING = {"join", "listdir", "scandir", "walk", "open", "Path", "PurePath", "read_csv", "read_parquet", "read_json", "load"}
NAN_WORDS = {"isnan", "isfinite", "isinf", "nan_to_num", "isna", "isnull", "notna", "notnull", "to_json", "fillna"}
NAN_MODULES = {"simplejson", "ujson", "orjson", "rapidjson"}
PLAIN_CALLS = {"int", "len", "str", "bool"}
NETWORKED = {"boto3", "botocore", "aiobotocore", "s3fs", "sagemaker", "awswrangler", "requests", "httpx", "aiohttp", "urllib3",
             "urllib.request", "http.client", "ftplib", "smtplib", "paramiko", "psycopg", "psycopg2", "pymysql", "pymongo", "redis",
             "snowflake", "mlflow", "wandb", "huggingface_hub"}
CONTAINER = ("/opt/ml/processing", "/opt/ml/input/data")
PATH_CHARS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=+@")
UNKNOWN = object()


def dotted(node):
    """a.b.c of names and attributes, or None."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id] + parts[::-1])


def last(node):
    """The name that a call's function ends in."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


class Module:
    """One source file: its tree with parents, its imports, its constants."""

    def __init__(self, path, source):
        self.path = path
        self.name = path[:-3].replace("/", ".")
        self.tree = ast.parse(source.lstrip("\ufeff"), path)
        self.package = self.name.rsplit(".", 1)[0] if "." in self.name else ""
        if self.name.endswith(".__init__"):
            self.name = self.package
        self.aliases, self.imports, self.stored = {}, [], {}
        self.nodes, self.kinds, todo = [], {}, [self.tree]
        while todo:  # in source order
            node = todo.pop()
            self.nodes.append(node)
            self.kinds.setdefault(type(node), []).append(node)
            children = list(ast.iter_child_nodes(node))
            for child in children:
                child.parent = node
            todo += children[::-1]
        for node in self.of(ast.Import, ast.ImportFrom, ast.Name):
            if isinstance(node, ast.Import):
                for a in node.names:
                    self.imports.append(a.name)
                    self.aliases[a.asname or a.name.split(".")[0]] = a.name if a.asname else a.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom):
                base = self.base(node)
                self.imports.append(base)
                for a in node.names:
                    self.imports.append(base + "." + a.name)
                    self.aliases[a.asname or a.name] = base + "." + a.name
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                self.stored[node.id] = self.stored.get(node.id, 0) + 1

    def of(self, *kinds):
        """The nodes of some kinds, kind by kind, each in source order."""
        return [n for k in kinds for n in self.kinds.get(k, ())]

    def base(self, node):
        base = node.module or ""
        if node.level:
            up = self.package.split(".") if self.package else []
            up = up[: len(up) - node.level + 1]
            base = ".".join(up + ([base] if base else []))
        return base

    def full(self, node):
        """The name of something, with its module's in front: argparse.ArgumentParser, train.parser."""
        name = dotted(node)
        if name is None:
            return ""
        head, _, rest = name.partition(".")
        known = self.aliases.get(head)
        if known is None:
            return self.name + "." + name
        return known + ("." + rest if rest else "")

    def fold(self, node, depth=0):
        """The value of a literal, of a constant of the module, or of a joined path; else UNKNOWN."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            v = self.fold(node.operand, depth)
            if isinstance(v, (int, float)) and not isinstance(v, bool):
                return -v if isinstance(node.op, ast.USub) else v
        if isinstance(node, ast.Name) and depth < 5 and self.stored.get(node.id) == 1:
            for stmt in self.tree.body:
                if isinstance(stmt, ast.Assign) and len(stmt.targets) == 1 and dotted(stmt.targets[0]) == node.id:
                    return self.fold(stmt.value, depth + 1)
        if isinstance(node, ast.Call) and last(node.func) in ("Path", "PurePath", "PurePosixPath") and len(node.args) == 1:
            return self.fold(node.args[0], depth)
        return UNKNOWN


def certain(node, always, tried=False):
    """Whether a node is run whenever its script is: not under a condition, not in a function that may not be called.

    What is tried counts as certain only on demand: its failure may be provided for.
    """
    child = node
    while True:
        parent = getattr(child, "parent", None)
        if parent is None:
            return True
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if child in parent.decorator_list or child is parent.args:
                pass
            elif parent not in always:
                return False
            else:
                return not early_exit(parent, child)
        elif isinstance(parent, ast.Lambda):
            return False
        elif isinstance(parent, ast.If) and child is not parent.test and not (is_main(parent.test) and child in parent.body):
            return False
        elif isinstance(parent, ast.IfExp) and child is not parent.test:
            return False
        elif isinstance(parent, ast.BoolOp) and child is not parent.values[0]:
            return False
        elif isinstance(parent, (ast.For, ast.AsyncFor, ast.While, ast.comprehension, ast.ExceptHandler)):
            return False
        elif isinstance(parent, ast.Try) and parent.handlers and not (tried and child in parent.body):
            return False
        elif type(parent).__name__ in ("match_case", "TryStar"):
            return False
        elif isinstance(parent, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            return False
        child = parent


def early_exit(function, child):
    """Whether a function may have returned before it comes to one of its statements."""
    for stmt in function.body:
        if stmt is child:
            return False
        if isinstance(stmt, ast.If) and any(isinstance(n, (ast.Return, ast.Raise)) for n in ast.walk(stmt)):
            return any(isinstance(n, ast.Return) for n in ast.walk(stmt))
    return False


def is_main(test):
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__" \
        and isinstance(test.ops[0], ast.Eq)
