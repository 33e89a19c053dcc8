#!/usr/bin/env python3
"""Checks docker-compose.yml and deploy/Dockerfile: what each container may do, and that no two realms
share anything.

    compose_rules.py TREE

Prints each breach and ends with 1.
"""

import pathlib
import re
import sys

import yaml

LOOPBACK = re.compile(r"(127\.\d+\.\d+\.\d+|\[::1\]):\d+$")
# What a container is given beside files: names, addresses, paths, libpq's key=value. A text without
# any structure that is as long as a password is taken for one.
SECRET_TEXT = re.compile(r"(?i)-----BEGIN|password\s*=|://[^/]*:[^/]*@|(?<![\w/.-])[A-Za-z0-9+/=]{20,}(?![\w/.-])")
SECRET_NAME = re.compile(r"(?i)(passw|secret|token|_key$|pgpass)")
SECRETS_FOLDER = "${GODWIT_SECRETS:-/etc/godwit/secrets}/"
NEVER = ["privileged", "cap_add", "network_mode", "pid", "ipc", "userns_mode", "devices",
         "device_cgroup_rules", "volumes_from", "env_file", "links", "external_links", "extra_hosts"]


def binaries_of(tree):
    """The services that the tree builds: each must have its container."""
    names = set()
    for file in (tree / "services").glob("*/CMakeLists.txt"):
        names.update(re.findall(r"OUTPUT_NAME godwit-(\w+d)\b", file.read_text(encoding="utf-8")))
    return names


def listed(value):
    return list(value) if isinstance(value, (list, dict)) else []


def check_container(name, container, migrate):
    if container.get("read_only") is not True:
        yield "its root is not read-only"
    if container.get("cap_drop") != ["ALL"]:
        yield "it keeps capabilities"
    if "no-new-privileges:true" not in listed(container.get("security_opt")):
        yield "it may gain privileges"
    if [each for each in listed(container.get("security_opt")) if "unconfined" in each]:
        yield "it is not confined"
    for key in NEVER:
        if key in container:
            yield f"{key} is not for us"
    if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(container.get("user", ""))):
        yield "it runs as root"
    if not container.get("pids_limit"):
        yield "it may start any number of processes"
    if "image" not in container or container["image"].endswith(":latest"):
        yield "its image has no version"
    if not migrate:
        if container.get("restart") != "unless-stopped":
            yield "nothing starts it again"
        if not container.get("healthcheck", {}).get("test"):
            yield "nobody sees whether it is well"
    environment = container.get("environment", {})
    if not isinstance(environment, dict):
        yield "its environment is no table"
        environment = {}
    for key, value in environment.items():
        if SECRET_TEXT.search(str(value)):
            yield f"{key} looks like a secret"
        if SECRET_NAME.search(key) and not str(value).startswith("/run/"):
            yield f"{key} is no file"
    for text in listed(container.get("command")) + listed(container.get("entrypoint")):
        if SECRET_TEXT.search(str(text)):
            yield "its command holds what looks like a secret"
    for key, value in container.get("build", {}).get("args", {}).items():
        if SECRET_NAME.search(key) or SECRET_TEXT.search(str(value)):
            yield f"build argument {key} looks like a secret"


def check_service(name, container, realm):
    binary = f"godwit-{name}"
    prefix = "GODWIT_" + name.upper() + "_"
    environment = container.get("environment", {})
    if container.get("entrypoint") != [binary]:
        yield f"it does not run {binary}"
    if container.get("build", {}).get("args", {}).get("SERVICE") != name:
        yield "its image holds another service"
    if container.get("healthcheck", {}).get("test") != ["CMD", binary, "health"]:
        yield "its health is not what it says itself"
    for key in environment:
        if not key.startswith(prefix):
            yield f"{key} is no setting of it"
    for setting in ["HEALTH_LISTEN", "METRICS_LISTEN"]:
        if not LOOPBACK.match(str(environment.get(prefix + setting, ""))):
            yield f"{setting} is not for the container alone"
    if environment.get(prefix + "REFLECTION", "off") != "off":
        yield "it describes itself"
    if not str(environment.get(prefix + "KEY", "")).startswith("/run/tls/"):
        yield "its key is no file of the secrets"
    if environment.get(prefix + "CALLERS") != "/run/tls/ca.crt":
        yield "others than its front may call it"
    if environment.get(prefix + "FRONT_CERTIFICATE") != "/run/tls/front.crt":
        yield "it does not know what clients see"
    if not container.get("ulimits", {}).get("memlock"):
        yield "its keys have no locked memory"
    if container.get("ulimits", {}).get("core") != 0:
        yield "it may leave core files"
    if container.get("volumes") != [f"{SECRETS_FOLDER}{realm}/tls:/run/tls:ro"]:
        yield "it mounts something else than its certificates"


def check_front(container, realm):
    if not str(container.get("image", "")).startswith("haproxy:2.6"):
        yield "it is not the HAProxy that is tested"
    if container.get("command") != ["haproxy", "-W", "-db", "-f", "/etc/haproxy.cfg"]:
        yield "it does something else than its configuration says"
    if container.get("environment") != {
            "GODWIT_FRONT": "0.0.0.0:8443", "GODWIT_SERVICE": f"{realm}d:8443",
            "GODWIT_SERVICE_NAME": f"{realm}d", "GODWIT_TLS": "/run/tls", "GODWIT_CALLS": "5000"}:
        yield "it stands before something else"
    if container.get("volumes") != [f"{SECRETS_FOLDER}{realm}/front:/run/tls:ro",
                                    "./deploy/haproxy.cfg:/etc/haproxy.cfg:ro"]:
        yield "it mounts something else than its certificates and its configuration"
    if not container.get("ports"):
        yield "no client comes by it"
    for port in listed(container.get("ports")):
        if not re.fullmatch(r"\$\{\w+:-127\.0\.0\.1:\d+\}:8443", port):
            yield f"port {port} is open to all by default, or is not the one for clients"
    if container.get("ulimits", {}).get("core") != 0:
        yield "it may leave core files"


def check(compose, binaries):
    """Yields each breach of a parsed file as "container: what"."""
    containers = compose.get("services", {})
    networks = compose.get("networks", {})
    secrets = compose.get("secrets", {})
    daemons = {n for n in containers if re.fullmatch(r"\w+d", n) and not n.endswith("-db")}
    for name in sorted(binaries - daemons):
        yield f"{name}: has no container"
    for name in sorted(daemons - binaries):
        yield f"{name}: there is no such service"

    realm_of = {}
    for name, container in containers.items():
        realm = name.split("-")[0] if "-" in name else name.removesuffix("d")
        realm_of[name] = realm
        migrate = name.endswith("-migrate")
        breaches = list(check_container(name, container, migrate))
        attached = listed(container.get("networks"))
        inner = [n for n in attached if (networks.get(n) or {}).get("internal") is True]
        outer = [n for n in attached if n not in inner]
        if name in daemons:
            breaches += check_service(name, container, realm)
            if sorted(inner) != [f"{realm}_data", f"{realm}_inner"] or outer:
                breaches.append("it is on other networks than to its front and its database")
            if container.get("ports"):
                breaches.append("it is open to the host")
            for own in ["db", "front"]:
                if f"{realm}-{own}" not in containers:
                    breaches.append(f"it has no {own} of its own")
        elif name.endswith("-front"):
            breaches += check_front(container, realm)
            if inner != [f"{realm}_inner"] or outer != [f"{realm}_front"]:
                breaches.append("it is on other networks than to clients and to its service")
        else:
            if inner != [f"{realm}_data"] or outer:
                breaches.append("it is on another network than that of its database")
            if container.get("ports"):
                breaches.append("it is open to the host")
            if migrate and container.get("profiles") != ["operator"]:
                breaches.append("it starts with the rest")
        if name.endswith("-db"):
            command = " ".join(listed(container.get("command")))
            for option in ["synchronous_commit=on", "log_statement=none",
                           "log_min_error_statement=panic",
                           "log_parameter_max_length_on_error=0", "log_error_verbosity=terse",
                           "password_encryption=scram-sha-256"]:
                if f"-c{option}" not in command.split():
                    breaches.append(f"{option} is missing")
            init = str(container.get("environment", {}).get("POSTGRES_INITDB_ARGS", "")).split()
            if "--data-checksums" not in init or "--auth-host=scram-sha-256" not in init:
                breaches.append("its cluster has no checksums, or trusts whoever comes")
            if not str(container.get("image", "")).startswith("postgres:15"):
                breaches.append("it is not the PostgreSQL that is tested")
            if container.get("volumes") != [
                    f"{realm}_db:/var/lib/postgresql/data",
                    "./deploy/postgres_init.sh:/docker-entrypoint-initdb.d/realm.sh:ro"]:
                breaches.append("it mounts something else than its data")
        for secret in listed(container.get("secrets")):
            if not str(secret).startswith(realm + "_"):
                breaches.append(f"secret {secret} is of another realm")
        for breach in breaches:
            yield f"{name}: {breach}"

    # Whoever else is on a network, it is of one realm.
    for network in networks:
        members = {n for n, c in containers.items() if network in listed(c.get("networks"))}
        if len({realm_of[n] for n in members}) != 1:
            yield f"network {network}: joins realms, or nobody"
        if network.endswith("_front") and len(members) != 1:
            yield f"network {network}: more than its front is on it"
    users = {}
    for name, container in containers.items():
        for secret in listed(container.get("secrets")):
            users.setdefault(secret, set()).add(name)
    for secret, source in secrets.items():
        if set(source or {}) != {"file"} or not str(source["file"]).startswith(
                SECRETS_FOLDER + secret.split("_")[0] + "/"):
            yield f"secret {secret}: is no file of its realm"
        if len(users.get(secret, set())) != 1:
            yield f"secret {secret}: not one container has it"
    for secret in users:
        if secret not in secrets:
            yield f"secret {secret}: is not declared"


def check_image(text):
    """Yields each breach of the Dockerfile's last stage, which is what runs."""
    stages = re.split(r"(?m)^(?=FROM )", text)
    if any("debian:12" not in stage.splitlines()[0] for stage in stages[1:]):
        yield "Dockerfile: another base than the Debian 12 that is tested"
    last = stages[-1]
    users = re.findall(r"(?m)^USER (.*)$", last)
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        yield "Dockerfile: it runs as root"
    copied = re.findall(r"(?m)^COPY (.*)$", last)
    if copied != ["--from=build /out/godwit-${SERVICE} /usr/local/bin/"]:
        yield "Dockerfile: it holds more than one binary"
    if re.search(r"(?m)^ADD ", text):
        yield "Dockerfile: it fetches something by itself"
    for kind, name in re.findall(r"(?m)^(ARG|ENV) (\w+)", text):
        if kind == "ENV" or SECRET_NAME.search(name):
            yield f"Dockerfile: {kind} {name} stays in the image"
    if "--no-install-recommends" not in last:
        yield "Dockerfile: it installs more than it needs"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tree = pathlib.Path(sys.argv[1])
    text = (tree / "docker-compose.yml").read_text(encoding="utf-8")
    breaches = list(check(yaml.safe_load(text), binaries_of(tree)))
    breaches += check_image((tree / "deploy/Dockerfile").read_text(encoding="utf-8"))
    for breach in breaches:
        print(breach)
    print(f"{len(breaches)} breaches")
    sys.exit(1 if breaches else 0)


if __name__ == "__main__":
    main()
