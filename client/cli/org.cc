#include "client/cli/org.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "client/cli/render.h"
#include "client/keystore_file.h"
#include "client/self_audit.h"
#include "client/store.h"
#include "protocol/words.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;

constexpr std::size_t kMaxClaimFile = 256;

base::Result<int> ReadFdNumber(std::string_view text) {
  int fd = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  if (error != std::errc() || end != text.data() + text.size() || fd < 0) {
    return Error(Code::kInvalidArgument, "after fd: comes the number of an open descriptor");
  }
  return fd;
}

base::Result<base::Bytes> ReadClaim(const std::string& where) {
  base::Bytes text;
  if (where.starts_with("fd:")) {
    const auto fd = ReadFdNumber(std::string_view(where).substr(3));
    if (!fd) return fd.error();
    const auto line = ReadSecretLine(*fd);
    if (!line) return line.error();
    text = base::ToBytes(line->Expose());
  } else {
    auto content = client::ReadPrivateFile(where, kMaxClaimFile);
    if (!content) return content.error();
    text = *std::move(content);
  }
  while (!text.empty() && text.back() <= ' ') text.pop_back();
  auto claim = base::FromHex(base::ToString(text));
  crypto::Wipe(text);
  if (!claim || claim->size() != 32) {
    return Error(Code::kInvalidArgument,
                 "a claim is 64 hexadecimal digits, as `godwit-admin migrate` printed them");
  }
  return *std::move(claim);
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// Two groups of twelve words, each with a checksum of its own.
std::string RootWords(const client::RootSeed& root) {
  const auto seed = root.seed.Expose();
  return protocol::SecretAsWords(seed.first<16>()) + " " + protocol::SecretAsWords(seed.last<16>());
}

void HandOverRoots(const Context& context, const OrgCreateOptions& options,
                   const std::vector<client::RootSeed>& roots) {
  if (options.discard_root) return;
  if (!options.root_fd) {
    context.output.Note(
        "\nThe root keys, this once. Write them down on paper, one sheet a realm, and keep the\n"
        "sheets apart from each other and from this device.\n");
  }
  for (const client::RootSeed& root : roots) {
    std::string line(protocol::Name(root.compartment));
    line += ": ";
    line += RootWords(root);
    line += "\n";
    WriteAll(options.root_fd.value_or(STDERR_FILENO), line);
    crypto::Wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
  }
}

Json RealmsJson(const std::map<Compartment, std::unique_ptr<client::Realm>>& realms) {
  Json json = Json::object();
  for (const auto& [compartment, realm] : realms) {
    json[std::string(protocol::Name(compartment))] = {
        {"fingerprint", protocol::FingerprintWords(realm->info().fingerprint)},
        {"member", base::ToHex(realm->member().bytes())}};
  }
  return json;
}

}  // namespace

base::Result<client::RealmEndpoint> ReadRealmOption(const std::string& text) {
  const Error malformed(Code::kInvalidArgument,
                        "a realm is written NAME=HOST:PORT,PIN,CLAIM: its name is identity, cases "
                        "or journeys, PIN has 64 hexadecimal digits");
  const std::size_t equals = text.find('=');
  const std::size_t first = text.find(',', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || first == std::string::npos) return malformed;
  const std::size_t second = text.find(',', first + 1);
  if (second == std::string::npos) return malformed;
  const auto compartment = CompartmentByName(text.substr(0, equals));
  const auto pin_bytes = base::FromHex(text.substr(first + 1, second - first - 1));
  const auto pin = pin_bytes ? base::Sha256Hash::FromBytes(*pin_bytes) : std::nullopt;
  client::RealmEndpoint endpoint;
  endpoint.host_port = text.substr(equals + 1, first - equals - 1);
  if (!compartment || !pin || endpoint.host_port.find(':') == std::string::npos) return malformed;
  endpoint.compartment = *compartment;
  endpoint.pin = *pin;
  auto claim = ReadClaim(text.substr(second + 1));
  if (!claim) return claim.error();
  endpoint.claim = *std::move(claim);
  return endpoint;
}

ExitCode OrgCreate(const Context& context, const OrgCreateOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("found the organisation", why); };

  if (context.common.profile.empty()) {
    return fail(Error(Code::kInvalidArgument, "name the new profile with --profile"));
  }
  // Where the root keys go is settled before they exist.
  if (options.discard_root && !options.evaluation) {
    return fail(Error(Code::kInvalidArgument,
                      "a root key may be thrown away in an evaluation organisation alone"));
  }
  if (!options.discard_root && !options.root_fd && isatty(STDERR_FILENO) == 0) {
    return fail(Error(Code::kInvalidArgument,
                      "there is no terminal to show the root keys on: give --root-fd, or "
                      "--discard-root with --evaluation"));
  }
  client::Founding founding;
  founding.handle = options.handle;
  founding.display_name = options.name;
  founding.evaluation = options.evaluation;
  if (options.evaluation) {
    founding.cost = {protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem};
  }
  std::set<Compartment> named;
  for (const std::string& text : options.realms) {
    auto endpoint = ReadRealmOption(text);
    if (!endpoint) return fail(endpoint.error());
    named.insert(endpoint->compartment);
    founding.endpoints.push_back(*std::move(endpoint));
  }
  if (named.size() != 3 || founding.endpoints.size() != 3) {
    return fail(Error(Code::kInvalidArgument,
                      "an organisation has three realms: give --realm for identity, cases and "
                      "journeys, each once"));
  }
  const auto others = client::Profile::List();
  if (!others) return fail(others.error());
  if (!others->empty() && !options.evaluation) {
    return fail(Error(Code::kPermissionDenied,
                      "there is a profile on this machine already, and several are for evaluation "
                      "alone: one machine, one person"));
  }

  const auto passphrase = context.prompt.NewPassphrase("A new passphrase for this profile: ");
  if (!passphrase) return fail(passphrase.error());
  const auto profile = client::Profile::Create(context.common.profile);
  if (!profile) return fail(profile.error());
  const auto lock = LockProfile(*profile, client::Profile::Use::kWrite);
  if (!lock) return fail(lock.error());

  const auto keep = [&](const client::UnlockedRealm& keys) -> base::Result<std::filesystem::path> {
    const Compartment compartment = keys.info.compartment;
    const auto path = profile->StorePath(compartment);
    auto store = client::Store::Create(path, keys.store_key, keys.info.realm());
    if (!store) return store.error();
    const auto kept = client::CreateKeystoreFile(profile->KeystorePath(compartment), *passphrase,
                                                 founding.cost, keys);
    if (!kept) return kept.error();
    return path;
  };
  auto founded = client::FoundOrganisation(
      founding, keep, [&](std::string_view step) { output.Note("founding " + std::string(step)); });
  if (!founded) return fail(founded.error());

  std::vector<const client::UnlockedRealm*> keys;
  for (const auto& [compartment, realm] : founded->realms) {
    keys.push_back(&realm->keys());
    // What the founder did is no news to them.
    if (const auto taken = client::TakeNotices(*realm); !taken) return fail(taken.error());
  }
  HandToAgent(context, *profile, keys);
  HandOverRoots(context, options, founded->roots);
  if (options.evaluation) output.Banner();
  output.Emit({{"event", "founded"},
               {"profile", profile->name()},
               {"handle", options.handle},
               {"evaluation", options.evaluation},
               {"realms", RealmsJson(founded->realms)}});
  output.Line("The organisation stands. You are owner and admin of its three realms.",
              Style::kGood);
  output.Line(
      "Next: `godwit member invite` for your colleagues; `godwit org fingerprint` to compare.");
  return ExitCode::kOk;
}

ExitCode OrgFingerprint(const Context& context) {
  auto session = Session::Open(context, kAllRealms, client::Profile::Use::kRead);
  if (!session) return context.output.Fail("show the fingerprints", session.error());
  std::vector<std::pair<std::string, Cell>> fields;
  for (const auto& [compartment, realm] : session->organisation().realms()) {
    fields.emplace_back(protocol::Name(compartment),
                        protocol::FingerprintWords(realm->info().fingerprint));
  }
  context.output.Emit({{"realms", RealmsJson(session->organisation().realms())}});
  context.output.Line("Compare these words with a colleague's, over the phone or side by side:");
  context.output.Fields(fields);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
