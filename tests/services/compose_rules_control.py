#!/usr/bin/env python3
"""Breaks docker-compose.yml in one way at a time and sees that compose_rules.py finds each.

    compose_rules_control.py TREE
"""

import copy
import json
import pathlib
import sys

import yaml

import compose_rules


def at(compose, path):
    for key in path[:-1]:
        compose = compose[key]
    return compose, path[-1]


def put(*path_and_value):
    *path, value = path_and_value

    def change(compose):
        parent, key = at(compose, path)
        parent[key] = value
    return change


def drop(*path):
    def change(compose):
        parent, key = at(compose, path)
        del parent[key]
    return change


def add(*path_and_value):
    *path, value = path_and_value

    def change(compose):
        parent, key = at(compose, path)
        parent[key] = parent[key] + [value]
    return change


S = "services"
BREAKS = [
    ("root", put(S, "casesd", "read_only", False)),
    ("root of a database", drop(S, "cases-db", "read_only")),
    ("capabilities", drop(S, "casesd", "cap_drop")),
    ("a capability", put(S, "casesd", "cap_add", ["NET_ADMIN"])),
    ("some capabilities", put(S, "identity-db", "cap_drop", ["NET_RAW"])),
    ("privileges", put(S, "casesd", "security_opt", [])),
    ("no profile", add(S, "casesd", "security_opt", "seccomp:unconfined")),
    ("privileged", put(S, "casesd", "privileged", True)),
    ("root user", put(S, "casesd", "user", "0:0")),
    ("no user", drop(S, "cases-migrate", "user")),
    ("host network", put(S, "casesd", "network_mode", "host")),
    ("host processes", put(S, "casesd", "pid", "host")),
    ("engine's socket", add(S, "casesd", "volumes", "/var/run/docker.sock:/var/run/docker.sock")),
    ("writable certificates",
     put(S, "casesd", "volumes", ["${GODWIT_SECRETS:-/etc/godwit/secrets}/cases/tls:/run/tls"])),
    ("another realm's certificates",
     put(S, "casesd", "volumes",
         ["${GODWIT_SECRETS:-/etc/godwit/secrets}/identity/tls:/run/tls:ro"])),
    ("another realm's data", put(S, "cases-db", "volumes", ["identity_db:/var/lib/postgresql/data"])),
    ("no health", drop(S, "casesd", "healthcheck")),
    ("health of a shell", put(S, "casesd", "healthcheck", {"test": ["CMD-SHELL", "true"]})),
    ("health of another", put(S, "casesd", "healthcheck", {"test": ["CMD", "godwit-keysd", "health"]})),
    ("no restart", drop(S, "casesd", "restart")),
    ("another binary", put(S, "casesd", "entrypoint", ["sh", "-c", "godwit-casesd"])),
    ("another image", put(S, "casesd", "build", "args", "SERVICE", "identityd")),
    ("latest", put(S, "cases-db", "image", "postgres:latest")),
    ("another PostgreSQL", put(S, "cases-db", "image", "postgres:16-bookworm")),
    ("metrics for all", put(S, "casesd", "environment", "GODWIT_CASESD_METRICS_LISTEN", "0.0.0.0:9444")),
    ("health for all", put(S, "casesd", "environment", "GODWIT_CASESD_HEALTH_LISTEN", "0.0.0.0:9443")),
    ("reflection", put(S, "casesd", "environment", "GODWIT_CASESD_REFLECTION", "on")),
    ("a password", put(S, "casesd", "environment", "GODWIT_CASESD_DATABASE",
                       "host=cases-db dbname=cases password=hunter2")),
    ("a URI", put(S, "casesd", "environment", "GODWIT_CASESD_DATABASE",
                  "postgres://godwit:hunter2@cases-db/cases")),
    ("a key", put(S, "casesd", "environment", "GODWIT_CASESD_KEY", "-----BEGIN PRIVATE KEY-----")),
    ("a password's variable", put(S, "cases-db", "environment", "POSTGRES_PASSWORD", "hunter2")),
    ("a random text", put(S, "cases-db", "environment", "X", "q83vEjRWeJq83vEjRWeJq83v")),
    ("a secret in a command", add(S, "cases-migrate", "command", "--database=password=hunter2")),
    ("a secret to build with", put(S, "casesd", "build", "args", "TOKEN", "x")),
    ("a foreign setting", put(S, "casesd", "environment", "GODWIT_IDENTITYD_LISTEN", "127.0.0.1:1")),
    ("another realm's network", add(S, "casesd", "networks", "identity_data")),
    ("a database in front", add(S, "cases-db", "networks", "cases_front")),
    ("a shared network", add(S, "identityd", "networks", "cases_inner")),
    ("a database's way out", put("networks", "cases_data", {})),
    ("a database's port", put(S, "cases-db", "ports", ["5432:5432"])),
    ("a service's port", put(S, "casesd", "ports", ["${X:-127.0.0.1:1}:8443"])),
    ("a port for all", put(S, "cases-front", "ports", ["8444:8443"])),
    ("metrics' port", add(S, "cases-front", "ports", "${X:-127.0.0.1:1}:9444")),
    ("a front without a port", drop(S, "cases-front", "ports")),
    ("a service without a front", drop(S, "cases-front")),
    ("a front on a database's network", add(S, "cases-front", "networks", "cases_data")),
    ("a front of two realms", add(S, "cases-front", "networks", "identity_inner")),
    ("a front before another", put(S, "cases-front", "environment", "GODWIT_SERVICE", "identityd:8443")),
    ("a front with another's certificates",
     put(S, "cases-front", "volumes",
         ["${GODWIT_SECRETS:-/etc/godwit/secrets}/identity/front:/run/tls:ro",
          "./deploy/haproxy.cfg:/etc/haproxy.cfg:ro"])),
    ("another HAProxy", put(S, "cases-front", "image", "haproxy:3.1")),
    ("another configuration", put(S, "cases-front", "command", ["haproxy", "-f", "/other.cfg"])),
    ("a service in front", add(S, "casesd", "networks", "cases_front")),
    ("a front's way out", put("networks", "cases_inner", {})),
    ("callers of all kinds", drop(S, "casesd", "environment", "GODWIT_CASESD_CALLERS")),
    ("another certificate in front", drop(S, "casesd", "environment",
                                          "GODWIT_CASESD_FRONT_CERTIFICATE")),
    ("core files of a front", drop(S, "cases-front", "ulimits")),
    ("another realm's secret", add(S, "casesd", "secrets", "identity_passfile")),
    ("a secret that is not declared", add(S, "casesd", "secrets", "cases_more")),
    ("a secret from the environment", put("secrets", "cases_passfile", {"environment": "PASS"})),
    ("a secret of the tree", put("secrets", "cases_passfile", {"file": "./passfile"})),
    ("a secret of another's folder", put(
        "secrets", "cases_passfile", {"file": "${GODWIT_SECRETS:-/etc/godwit/secrets}/identity/passfile"})),
    ("asynchronous commits", put(S, "cases-db", "command", ["postgres"])),
    ("no checksums", put(S, "cases-db", "environment", "POSTGRES_INITDB_ARGS", "")),
    ("core files", put(S, "casesd", "ulimits", {"memlock": 67108864})),
    ("no locked memory", put(S, "casesd", "ulimits", {"core": 0})),
    ("any number of processes", drop(S, "casesd", "pids_limit")),
    ("a service without a container", drop(S, "journeysd")),
    ("a service without a database", drop(S, "journeys-db")),
    ("a container of no service", lambda c: c[S].update(mailerd=copy.deepcopy(c[S]["casesd"]))),
    ("migrations at each start", drop(S, "cases-migrate", "profiles")),
]

IMAGE_BREAKS = [
    ("USER 10001:10001", "USER root"),
    ("USER 10001:10001\n", ""),
    ("COPY --from=build /out/godwit-${SERVICE} /usr/local/bin/", "COPY . /usr/local/bin/"),
    ("COPY --from=build /out/godwit-${SERVICE} /usr/local/bin/", "COPY --from=build / /"),
    ("ARG SERVICE", "ARG DB_PASSWORD"),
    ("ARG SERVICE", "ENV API_TOKEN=x"),
    ("ARG SERVICE", "ADD https://files.example/x /x"),
    ("FROM debian:12-slim\n", "FROM debian:latest\n"),
    ("--no-install-recommends", ""),
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tree = pathlib.Path(sys.argv[1])
    text = (tree / "docker-compose.yml").read_text(encoding="utf-8")
    image = (tree / "deploy/Dockerfile").read_text(encoding="utf-8")
    # By way of JSON, so that no container shares what an anchor gave to several.
    whole = json.dumps(yaml.safe_load(text))
    binaries = compose_rules.binaries_of(tree)
    failed = 0
    if list(compose_rules.check(json.loads(whole), binaries)) or not binaries:
        failed += 1
        print("the file as it is does not pass")
    for name, change in BREAKS:
        compose = json.loads(whole)
        change(compose)
        if not list(compose_rules.check(compose, binaries)):
            failed += 1
            print(f"not found: {name}")
    if list(compose_rules.check_image(image)):
        failed += 1
        print("the image as it is does not pass")
    for old, new in IMAGE_BREAKS:
        if old not in image or not list(compose_rules.check_image(image.replace(old, new))):
            failed += 1
            print(f"not found: {new!r} for {old!r}")
    print(f"{len(BREAKS) + len(IMAGE_BREAKS)} breaks, {failed} failures")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
