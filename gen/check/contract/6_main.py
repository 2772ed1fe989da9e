"""From standard input to standard output. A part of one program: see 1_module.py."""


def read(job):
    try:
        return Script(job["main"], job["files"]).facts()
    except SyntaxError as e:
        # SyntaxError counts columns from 1, in characters.
        text, column = e.text or "", max(e.offset or 1, 1)
        column = len(text[: column - 1].encode("utf-8", "replace")) + 1 if text else column
        return {"syntax": {"file": e.filename or job["main"], "line": max(e.lineno or 1, 1), "column": column, "message": e.msg}}
    except (ValueError, RecursionError, MemoryError):
        return {}


def main():
    if sys.version_info < (3, 9):
        json.dump({"version": list(sys.version_info[:2]), "old": True, "scripts": []}, sys.stdout)
        return
    sys.setrecursionlimit(5000)
    jobs = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    json.dump({"version": list(sys.version_info[:2]), "old": False, "scripts": [read(j) for j in jobs["scripts"]]}, sys.stdout)


main()
