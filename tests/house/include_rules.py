#!/usr/bin/env python3
"""Checks who may include whom: the table of docs/architecture.md, and nothing looser.

    include_rules.py TREE

Prints each include that points the wrong way as file:line and ends with 1. Reads the C++ files of
the layers' folders, the link lines of the services' CMakeLists.txt, and the imports of proto/api.
"""

import pathlib
import re
import sys

# Folder -> the folders of ours that it may include besides itself. Tests, benchmarks and fuzz
# targets may include any layer: they are nobody's dependency.
MAY_INCLUDE = {
    "base": set(),
    "crypto": {"base"},
    "protocol": {"base", "crypto"},
    "transport": {"base", "crypto", "proto/api"},
    "storage": {"base", "crypto"},
    "services": {"base", "crypto", "protocol", "storage", "transport", "proto/api"},
    "client": {"base", "crypto", "protocol", "transport", "proto/api", "proto/content"},
    "tools": {"base", "crypto", "protocol"},
    "tools/admin": {"base", "crypto", "protocol", "storage"},
}
LAYERS = sorted({rule.split("/")[0] for rule in MAY_INCLUDE})
NOT_LAYERS = ["tests", "bench", "fuzz"]

# What an include's first path component is, where it is not a folder of that name: the generated
# headers of proto/api lie under godwit/<area>/v1, those of proto/content under godwit/content/v1.
CONTENT = re.compile(r"(proto/content/|godwit/content/)")
API = re.compile(r"(proto/api/|godwit/)")

# Library headers with a sole home: (what, pattern of the include, pattern of the files allowed).
SOLE_HOMES = [
    ("libsodium", r"sodium(\.h$|/)", r"crypto/.*\.cc$"),
    ("libpqxx", r"pqxx(/|$)", r"storage/"),
    ("libpq", r"(postgresql/)?libpq(-fe|-fs)?(\.h$|/)", r"storage/"),
    ("gRPC", r"(grpc|grpcpp|grpc\+\+)/|.*\.grpc\.pb\.h$",
     r"(transport/|services/server/|services/.*_service\.(h|cc)$)"),
    ("spdlog", r"spdlog/", r"services/"),
    ("prometheus", r"prometheus/", r"services/"),
    ("SQLite", r"sqlite3(ext)?\.h$", r"client/"),
    ("ICU", r"unicode/", r"client/"),
    ("pango, cairo", r"(pango|cairo)(/|.*\.h$)", r"client/print/.*\.cc$"),
    ("CLI11", r"CLI/", r"(client/cli|tools/[^/]+|services/[^/]+)/main\.cc$"),
    ("OpenSSL X.509", r"openssl/(x509|x509v3|x509_vfy|pem|asn1)",
     r"(tools/admin/|transport/certificate\.cc$)"),
]

# Other OpenSSL is for the TLS that gRPC has no switch for, for certificates, and for a cipher that
# only tests know.
OPENSSL_HOMES = re.compile(r"(transport/|services/server/|tools/admin/)")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def files_of(tree, folder, suffixes):
    base = tree / folder
    return sorted(p for p in base.rglob("*") if p.suffix in suffixes and p.is_file())


def rule_for(path):
    """The most special entry of MAY_INCLUDE for a file."""
    parts = path.split("/")
    for length in range(len(parts) - 1, 0, -1):
        rule = "/".join(parts[:length])
        if rule in MAY_INCLUDE:
            return rule
    raise KeyError(path)


def target_folder(include):
    """The folder of ours that an include names, or None for a library's header."""
    if CONTENT.match(include):
        return "proto/content"
    if API.match(include):
        return "proto/api"
    first = include.split("/")[0]
    if "/" in include and (first in LAYERS or first in NOT_LAYERS):
        return first
    return None


def check_source(tree, file):
    path = file.relative_to(tree).as_posix()
    layer = path.split("/")[0]
    is_test = layer in NOT_LAYERS
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, include = match.groups()
        where = f"{path}:{number}: "
        if include.startswith("."):
            yield where + f"{include}: paths begin at the top of the tree"
            continue
        target = target_folder(include)
        if is_test:
            continue
        if target is not None:
            if target != layer and target not in MAY_INCLUDE[rule_for(path)]:
                yield where + f"{rule_for(path)} may not include {target} ({include})"
            if quote == "<":
                yield where + f"{include} is ours: write it with quotes"
        elif quote == '"':
            yield where + f"{include} is no file of a layer: write it from the top, or with <>"
        for what, pattern, home in SOLE_HOMES:
            if re.match(pattern, include) and not re.match(home, path):
                yield where + f"{what} has no home here ({include})"
        if include.startswith("openssl/") and not OPENSSL_HOMES.match(path):
            yield where + f"OpenSSL has no home here ({include})"
        # One service knows nothing of another; they share services/server and services/realm.
        if layer == "services" and target == "services":
            ours, theirs = path.split("/")[1], include.split("/")[1]
            allowed = {ours, "server"} | (set() if ours == "server" else {"realm"})
            if theirs not in allowed:
                yield where + f"services/{ours} may not include services/{theirs}"
        if layer == "tools" and target == "tools" and path.split("/")[1] != include.split("/")[1]:
            yield where + "one tool may not include another"


def check_links(tree):
    """No CMakeLists.txt of a layer below the client links what only clients read."""
    forbidden = re.compile(r"godwit(::|_)(client|content|proto_content|content_proto)\w*")
    for folder in ["base", "crypto", "protocol", "transport", "storage", "services", "tools"]:
        for file in sorted((tree / folder).rglob("CMakeLists.txt")):
            path = file.relative_to(tree).as_posix()
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                match = forbidden.search(line.split("#")[0])
                if match:
                    yield f"{path}:{number}: {folder} may not link {match.group(0)}"


def check_protos(tree):
    for file in files_of(tree, "proto/api", {".proto"}):
        path = file.relative_to(tree).as_posix()
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if re.match(r'\s*import\s+.*"(proto/content/|godwit/content/)', line):
                yield f"{path}:{number}: proto/api may not import proto/content"


def check_tree(tree):
    """All complaints on a tree, and the number of files read."""
    complaints = []
    read = 0
    for folder in LAYERS + NOT_LAYERS:
        for file in files_of(tree, folder, {".cc", ".h"}):
            read += 1
            complaints += check_source(tree, file)
    complaints += check_links(tree)
    complaints += check_protos(tree)
    return complaints, read


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tree = pathlib.Path(sys.argv[1]).resolve()
    complaints, read = check_tree(tree)
    print("\n".join(complaints))
    print(f"{read} files read, {len(complaints)} includes point the wrong way")
    sys.exit(1 if complaints or read == 0 else 0)


if __name__ == "__main__":
    main()
