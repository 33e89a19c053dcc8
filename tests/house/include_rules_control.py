#!/usr/bin/env python3
"""Shows that each rule of include_rules.py bites: made-up trees with one fault each must be refused,
and the same files without the fault must pass."""

import pathlib
import sys
import tempfile

import include_rules

# (file, its text, words of the complaint)
BAD = [
    ("base/a.h", '#include "crypto/b.h"', "base may not include crypto"),
    ("crypto/a.cc", '#include "protocol/b.h"', "crypto may not include protocol"),
    ("crypto/a.h", "#include <sodium.h>", "libsodium has no home here"),
    ("protocol/a.cc", "#include <sodium.h>", "libsodium has no home here"),
    ("protocol/a.cc", "# include <sodium/core.h>", "libsodium has no home here"),
    ("protocol/a.cc", '#include "storage/b.h"', "protocol may not include storage"),
    ("protocol/a.cc", '#include "godwit/realm/v1/realm.pb.h"', "may not include proto/api"),
    ("transport/a.cc", '#include "protocol/b.h"', "transport may not include protocol"),
    ("storage/a.cc", '#include "protocol/b.h"', "storage may not include protocol"),
    ("services/realm/a.cc", '#include "client/b.h"', "services may not include client"),
    ("services/cases/a.cc", '#include "godwit/content/v1/case.pb.h"', "include proto/content"),
    ("services/cases/a.cc", '#include "services/journeys/b.h"', "include services/journeys"),
    ("services/server/a.cc", '#include "services/realm/b.h"', "include services/realm"),
    ("services/realm/a.cc", "#include <pqxx/pqxx>", "libpqxx has no home here"),
    ("services/realm/a.cc", "#include <libpq-fe.h>", "libpq has no home here"),
    ("services/realm/a.cc", "#include <grpcpp/grpcpp.h>", "gRPC has no home here"),
    ("services/realm/a.cc", '#include "godwit/realm/v1/realm.grpc.pb.h"', "gRPC has no home"),
    ("client/a.cc", "#include <grpcpp/grpcpp.h>", "gRPC has no home here"),
    ("client/a.cc", '#include "storage/b.h"', "client may not include storage"),
    ("client/a.cc", "#include <spdlog/spdlog.h>", "spdlog has no home here"),
    ("client/a.cc", "#include <prometheus/counter.h>", "prometheus has no home here"),
    ("client/cli/show.cc", "#include <CLI/CLI.hpp>", "CLI11 has no home here"),
    ("client/a.cc", "#include <CLI/CLI.hpp>", "CLI11 has no home here"),
    ("storage/a.cc", "#include <sqlite3.h>", "SQLite has no home here"),
    ("protocol/a.cc", "#include <unicode/unistr.h>", "ICU has no home here"),
    ("client/cli/a.cc", "#include <pango/pangocairo.h>", "pango, cairo has no home here"),
    ("client/print/a.h", "#include <cairo-pdf.h>", "pango, cairo has no home here"),
    ("tools/verify/a.cc", '#include "storage/b.h"', "tools may not include storage"),
    ("tools/verify/a.cc", '#include "tools/admin/b.h"', "one tool may not include another"),
    ("tools/admin/a.cc", '#include "client/b.h"', "tools/admin may not include client"),
    ("transport/a.cc", "#include <openssl/x509.h>", "OpenSSL X.509 has no home here"),
    ("crypto/a.cc", "#include <openssl/evp.h>", "OpenSSL has no home here"),
    ("protocol/a.cc", '#include "../crypto/b.h"', "begin at the top of the tree"),
    ("protocol/a.cc", '#include "b.h"', "no file of a layer"),
    ("protocol/a.cc", "#include <crypto/b.h>", "write it with quotes"),
    ("protocol/a.cc", '#include "tests/support/b.h"', "protocol may not include tests"),
    ("services/cases/CMakeLists.txt", "target_link_libraries(x godwit::client)", "may not link"),
    ("services/CMakeLists.txt", "target_link_libraries(x godwit_content_proto)", "may not link"),
    ("proto/api/godwit/realm/v1/a.proto", 'import "godwit/content/v1/case.proto";', "may not import"),
]

GOOD = {
    "base/a.h": "#include <string>",
    "crypto/a.cc": '#include <sodium.h>\n#include "crypto/a.h"\n#include "base/result.h"',
    "protocol/a.cc": '#include "crypto/a.h"\n#include "protocol/b.h"',
    "transport/a.h": '#include <grpcpp/grpcpp.h>\n#include "godwit/realm/v1/realm.grpc.pb.h"',
    "transport/certificate.cc": "#include <openssl/x509.h>",
    "storage/a.cc": "#include <pqxx/pqxx>",
    "services/realm/realm_service.cc": '#include <grpcpp/grpcpp.h>\n#include "services/server/a.h"',
    "services/cases/main.cc": '#include <CLI/CLI.hpp>\n#include "services/realm/a.h"',
    "client/a.cc": '#include <sqlite3.h>\n#include <unicode/unistr.h>\n'
                   '#include "godwit/content/v1/case.pb.h"\n#include "godwit/realm/v1/realm.pb.h"',
    "client/cli/main.cc": "#include <CLI/CLI.hpp>",
    "tools/admin/pki.cc": '#include <openssl/x509.h>\n#include "storage/migrate.h"',
    "tests/e2e/a.cc": '#include <sodium.h>\n#include "client/a.h"\n#include "services/realm/a.h"',
    "services/cases/CMakeLists.txt": "# not godwit::client\ntarget_link_libraries(x godwit::realm)",
}


def complaints_on(files):
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for name, text in files.items():
            file = tree / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text + "\n", encoding="utf-8")
        return include_rules.check_tree(tree)[0]


def main():
    faults = []
    for complaint in complaints_on(GOOD):
        faults.append(f"refused without cause: {complaint}")
    for name, text, words in BAD:
        complaints = complaints_on({**GOOD, name: text})
        if not any(words in c and c.startswith(name) for c in complaints):
            faults.append(f"{name} with {text!r} got {complaints}, wanted '{words}'")
    print("\n".join(faults))
    print(f"{len(BAD)} bad trees tried, {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
