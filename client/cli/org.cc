#include "client/cli/org.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "client/cli/member.h"
#include "client/cli/render.h"
#include "client/founding_file.h"
#include "client/import/mapping.h"
#include "client/keystore_file.h"
#include "client/self_audit.h"
#include "protocol/words.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;

constexpr std::size_t kMaxClaimFile = 256;
constexpr auto kNewPassphrase = base::Literal("A new passphrase for this profile: ");

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
  const auto seed = root.Expose();
  return protocol::SecretAsWords(seed.first<16>()) + " " + protocol::SecretAsWords(seed.last<16>());
}

base::Result<client::RootSeed> RootFromWords(std::string_view words) {
  const Error malformed = Error(Code::kInvalidArgument,
                                "a root key is 24 words of the list, in the order of the sheet");
  std::size_t middle = 0;
  for (int seen = 0; middle < words.size() && seen < 12; ++seen) {
    middle = words.find_first_not_of(" \t", middle);
    if (middle == std::string_view::npos) return malformed;
    middle = std::min(words.find_first_of(" \t", middle), words.size());
  }
  auto first = protocol::SecretFromWords(words.substr(0, middle));
  auto second = protocol::SecretFromWords(words.substr(middle));
  if (!first || !second) return malformed;
  std::array<std::uint8_t, 32> seed{};
  std::ranges::copy(*first, seed.begin());
  std::ranges::copy(*second, seed.begin() + 16);
  auto root = client::RootSeed::Copy(seed);
  for (const std::span<std::uint8_t> bytes :
       {std::span<std::uint8_t>(*first), std::span<std::uint8_t>(*second),
        std::span<std::uint8_t>(seed)}) {
    crypto::Wipe(bytes);
  }
  return root;
}

void HandOverRoots(const Context& context, const OrgCreateOptions& options,
                   const client::RootSeeds& roots) {
  if (options.discard_root) return;
  if (!options.root_fd) {
    context.output.Note(
        "\nThe root keys, this once. Write them down on paper, one sheet a realm, and keep the\n"
        "sheets apart from each other and from this device.\n");
  }
  for (const auto& [compartment, root] : roots) {
    std::string line(protocol::Name(compartment));
    line += ": ";
    line += RootWords(root);
    line += "\n";
    WriteAll(options.root_fd.value_or(STDERR_FILENO), line);
    crypto::Wipe({reinterpret_cast<std::uint8_t*>(line.data()), line.size()});
  }
}

// The root keys of the realms of a draft: typed unseen, or a line a realm of the descriptor, as
// they were handed over.
base::Result<client::RootSeeds> ReadRoots(const Context& context, std::optional<int> fd) {
  client::RootSeeds roots;
  for (const Compartment compartment : kAllRealms) {
    const std::string name(protocol::Name(compartment));
    const auto line =
        fd ? ReadSecretLine(*fd)
           : context.prompt.Hidden(Translated("The root key of {0}, 24 words: ", name));
    if (!line) return line.error();
    const auto bytes = line->Expose();
    std::string_view words(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (words.starts_with(name + ":")) words.remove_prefix(name.size() + 1);
    auto root = RootFromWords(words);
    if (!root) return root.error();
    roots.emplace(compartment, *std::move(root));
  }
  return roots;
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
  const Error malformed =
      Error(Code::kInvalidArgument,
            "a realm is written NAME=HOST:PORT,PIN,CLAIM: its name is identity, cases "
            "or journeys, PIN has 64 hexadecimal digits");
  const std::size_t equals = text.find('=');
  const std::size_t first = text.find(',', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || first == std::string::npos) return malformed;
  const std::size_t second = std::min(text.find(',', first + 1), text.size());
  const auto compartment = CompartmentByName(text.substr(0, equals));
  const auto pin_bytes = base::FromHex(text.substr(first + 1, second - first - 1));
  const auto pin = pin_bytes ? base::Sha256Hash::FromBytes(*pin_bytes) : std::nullopt;
  client::RealmEndpoint endpoint;
  endpoint.host_port = text.substr(equals + 1, first - equals - 1);
  if (!compartment || !pin || endpoint.host_port.find(':') == std::string::npos) return malformed;
  endpoint.compartment = *compartment;
  endpoint.pin = *pin;
  if (second == text.size()) return endpoint;
  auto claim = ReadClaim(text.substr(second + 1));
  if (!claim) return claim.error();
  endpoint.claim = *std::move(claim);
  return endpoint;
}

namespace {

// What `org create` was told, whoever founds. INVALID_ARGUMENT.
base::Result<client::Founding> ReadFounding(const OrgCreateOptions& options) {
  // Where the root keys go is settled before they exist.
  if (options.discard_root && (!options.evaluation || !options.draft.empty())) {
    return Error(Code::kInvalidArgument,
                 "a root key may be thrown away in an evaluation organisation alone, and signs the "
                 "draft of any");
  }
  if (!options.discard_root && !options.root_fd && isatty(STDERR_FILENO) == 0) {
    return Error(Code::kInvalidArgument,
                 "there is no terminal to show the root keys on: give --root-fd, or "
                 "--discard-root with --evaluation");
  }
  client::Founding founding;
  founding.evaluation = options.evaluation;
  if (options.evaluation) {
    founding.cost = {protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem};
  }
  std::set<Compartment> named;
  for (const std::string& text : options.realms) {
    auto endpoint = ReadRealmOption(text);
    if (!endpoint) return endpoint.error();
    named.insert(endpoint->compartment);
    if (options.draft.empty() && endpoint->claim.empty()) {
      return Error(Code::kInvalidArgument,
                   "a realm is written NAME=HOST:PORT,PIN,CLAIM: the claim is missing");
    }
    founding.endpoints.push_back(*std::move(endpoint));
  }
  if (named.size() != 3 || founding.endpoints.size() != 3) {
    return Error(Code::kInvalidArgument,
                 "an organisation has three realms: give --realm for identity, cases and "
                 "journeys, each once");
  }
  for (const std::string& text : options.founders) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || !client::IsHandle(text.substr(0, equals))) {
      return Error(Code::kInvalidArgument, "a founder is written HANDLE=ROLES");
    }
    const auto roles = ReadRoles(std::string_view(text).substr(equals + 1));
    if (!roles) return roles.error();
    founding.founders[text.substr(0, equals)] = *roles;
  }
  if (!client::IsHandle(options.handle)) {
    return Error(Code::kInvalidArgument,
                 "a handle has 1 to 64 bytes of text, with no spaces around it");
  }
  // Whoever is not named otherwise is owner and admin.
  founding.founders.emplace(options.handle, protocol::kOwner | protocol::kAdmin);
  founding.owner_threshold = static_cast<std::uint8_t>(options.owner_threshold);
  founding.grant_threshold = static_cast<std::uint8_t>(options.grant_threshold);
  if (options.draft.empty()) {
    if (!options.evaluation) {
      return Error(Code::kInvalidArgument,
                   "outside an evaluation an organisation is founded by several people: begin with "
                   "--draft FILE and --founder; --evaluation tries Godwit out alone");
    }
    if (founding.founders.size() != 1) {
      return Error(Code::kInvalidArgument, "several founders pass a draft round: give --draft");
    }
    founding.owner_threshold = founding.grant_threshold = 1;
  }
  return founding;
}

// The same for one of invented people, who are not the caller's to name.
base::Result<client::Founding> ReadPractice(const OrgCreateOptions& options) {
  if (options.realms.empty()) {
    return Error(Code::kInvalidArgument,
                 "a practice organisation needs three services of its own: `./quickstart "
                 "--practice` starts them here and makes it, or name them with --realm");
  }
  OrgCreateOptions invented = options;
  invented.evaluation = invented.discard_root = true;
  invented.handle = "invented";
  auto founding = ReadFounding(invented);
  if (founding) founding->practice = true;
  return founding;
}

// Whether a person may begin another profile on this machine.
base::Status CheckPlace(const Context& context, bool evaluation) {
  if (context.common.profile.empty()) {
    return Error(Code::kInvalidArgument, "name the new profile with --profile");
  }
  const auto others = client::Profile::List();
  if (!others) return others.error();
  if (evaluation || others->empty() ||
      (others->size() == 1 && others->front() == context.common.profile)) {
    return {};
  }
  return Error(Code::kPermissionDenied,
               "there is a profile on this machine already, and several are for evaluation "
               "alone: one machine, one person");
}

// A profile that is being founded, locked.
struct FounderProfile {
  client::Profile profile;
  client::ProfileLock lock;
};
base::Result<FounderProfile> NewProfile(const Context& context) {
  auto profile = client::Profile::Create(context.common.profile);
  if (!profile) return profile.error();
  auto lock = LockProfile(*profile, client::Profile::Use::kWrite);
  if (!lock) return lock.error();
  return FounderProfile{*std::move(profile), *std::move(lock)};
}

// Adds the founder to the draft, with keys that the new profile keeps under `passphrase`.
base::Status BeginFounder(const Context& context, const crypto::SecretBytes& passphrase,
                          client::Draft& draft, const std::string& handle,
                          const std::string& name) {
  client::Draft next = draft;
  const auto keys = client::AddFounder(next, handle, name);
  if (!keys) return keys.error();
  const auto made = NewProfile(context);
  if (!made) return made.error();
  for (const auto& [compartment, mine] : *keys) {
    const auto& policy = draft.realms.at(compartment).policy;
    const auto kept =
        client::CreateFoundingFile(made->profile.FoundingPath(compartment), passphrase,
                                   {policy.kdf_ops, policy.kdf_mem}, compartment, mine);
    if (!kept) return kept.error();
  }
  draft = std::move(next);
  return {};
}

// The founder's keys of realms that the profile has not pinned yet.
base::Result<client::FounderRealms> UnlockFounder(const client::Profile& profile,
                                                  const crypto::SecretBytes& passphrase) {
  client::FounderRealms keys;
  for (const Compartment compartment : kAllRealms) {
    auto mine =
        client::UnlockFoundingFile(profile.FoundingPath(compartment), passphrase, compartment);
    if (!mine && mine.error().code() == Code::kNotFound) continue;
    if (!mine && mine.error().code() == Code::kDecrypt) {
      return Error(Code::kUnauthenticated,
                   "the passphrase is wrong, or the founder's keys were changed: which, nobody can "
                   "tell");
    }
    if (!mine) return mine.error();
    keys.emplace(compartment, *std::move(mine));
  }
  return keys;
}

// Keeps the realms of a complete draft like any other: what `godwit sync` and all else works with.
base::Status Pin(const client::Profile& profile, const crypto::SecretBytes& passphrase,
                 const client::Draft& draft, client::FounderRealms keys) {
  for (auto& [compartment, mine] : keys) {
    const auto& policy = draft.realms.at(compartment).policy;
    auto pinned = client::PinRealm(draft, compartment, std::move(mine));
    if (!pinned) return pinned.error();
    // The keystore may stand where a crash kept the founder's file from going.
    const auto realms = profile.Realms();
    if (std::ranges::find(realms, compartment) == realms.end()) {
      const auto kept =
          client::KeepRealm(profile, passphrase, {policy.kdf_ops, policy.kdf_mem}, *pinned);
      if (!kept) return kept.error();
    }
    std::error_code ignored;
    std::filesystem::remove(profile.FoundingPath(compartment), ignored);
  }
  return {};
}

base::Result<client::Draft> LoadDraft(const std::string& path) {
  const auto bytes = client::ReadPrivateFile(path, client::kMaxDraft);
  if (!bytes) return bytes.error();
  return client::ReadDraft(*bytes);
}

void ShowDraft(Output& output, const client::Draft& draft) {
  const auto& policy = draft.realms.begin()->second.policy;
  output.Line(
      Translated("The draft of an organisation: {0} owners sign what owners sign, {1} owners "
                 "or admins what else grants roles.",
                 policy.owner_threshold, policy.grant_threshold),
      Style::kStrong);
  Table realms{{Column("realm"), Shrinking("host"), Shrinking("authority")}, {}};
  for (const auto& [compartment, realm] : draft.realms) {
    realms.rows.push_back({std::string(protocol::Name(compartment)), realm.host_port,
                           base::ToHex(realm.pin.bytes()).substr(0, 16)});
  }
  output.Show(realms);
  Table founders{{Column("founder"), Shrinking("name"), Shrinking("roles"), Column("has")}, {}};
  for (const auto& [handle, founder] : draft.founders) {
    founders.rows.push_back({handle, founder.name, RolesLabel(founder.roles),
                             founder.signed_all() ? Translated("signed")
                             : founder.there      ? Translated("added keys")
                                                  : Translated("not begun")});
  }
  output.Show(founders);
}

// Whose turn it is, by handle; nobody's once all have signed.
std::vector<std::string> Missing(const client::Draft& draft) {
  std::vector<std::string> missing;
  for (const auto& [handle, founder] : draft.founders) {
    if (draft.all_there() ? !founder.signed_all() : !founder.there) missing.push_back(handle);
  }
  return missing;
}

ExitCode SayWhereItStands(Output& output, const client::Draft& draft, std::string_view event) {
  const auto missing = Missing(draft);
  output.Emit({{"event", event},
               {"all_there", draft.all_there()},
               {"complete", draft.complete()},
               {"missing", missing}});
  if (missing.empty()) return ExitCode::kOk;
  output.Line(Translated("Next, on their own device: {0} with `{1}`.", Joined(missing),
                         draft.all_there() ? "godwit org sign FILE"
                                           : "godwit org sign FILE --handle HANDLE --name NAME"),
              Style::kWarning);
  return ExitCode::kPartly;
}

ExitCode CreateDraft(const Context& context, const OrgCreateOptions& options,
                     const client::Founding& founding) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("begin the draft", why); };
  std::error_code ignored;
  if (std::filesystem::exists(options.draft, ignored)) {
    return fail(Error(Code::kExists, "there is a file of this name already: take another"));
  }
  auto made = client::MakeDraft(founding);
  if (!made) return fail(made.error());
  const auto passphrase = context.prompt.NewPassphrase(LookUp(kNewPassphrase.text()));
  if (!passphrase) return fail(passphrase.error());
  const auto begun = BeginFounder(context, *passphrase, made->draft, options.handle, options.name);
  if (!begun) return fail(begun.error());
  const auto written = client::ReplacePrivateFile(options.draft, client::WriteDraft(made->draft));
  if (!written) return fail(written.error());
  HandOverRoots(context, options, made->roots);
  if (options.evaluation) output.Banner();
  output.Line(
      "The draft is begun. It holds no key, but who is who in all three realms: carry it from hand "
      "to hand, and destroy it in the end.");
  (void)SayWhereItStands(output, made->draft, "drafted");
  return ExitCode::kOk;
}

}  // namespace

ExitCode OrgCreate(const Context& context, const OrgCreateOptions& options, const RunWords& run) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("found the organisation", why); };
  if (options.practice) {
    auto founding = ReadPractice(options);
    if (!founding) return fail(founding.error());
    return OrgPractice(context, *std::move(founding), run);
  }
  if (const auto fits = CheckPlace(context, options.evaluation); !fits) return fail(fits.error());
  const auto founding = ReadFounding(options);
  if (!founding) return fail(founding.error());
  if (!options.draft.empty()) return CreateDraft(context, options, *founding);

  const auto passphrase = context.prompt.NewPassphrase(LookUp(kNewPassphrase.text()));
  if (!passphrase) return fail(passphrase.error());
  const auto made = NewProfile(context);
  if (!made) return fail(made.error());
  const client::Profile& profile = made->profile;
  auto founded = client::FoundAlone(
      *founding, options.name,
      [&](const client::UnlockedRealm& keys) {
        return client::KeepRealm(profile, *passphrase, founding->cost, keys);
      },
      [&](std::string_view step) { output.Note(Translated("founding {0}", step)); });
  if (!founded) return fail(founded.error());

  std::vector<const client::UnlockedRealm*> keys;
  for (const auto& [compartment, realm] : founded->realms) {
    keys.push_back(&realm->keys());
    // What the founder did is no news to them.
    if (const auto taken = client::TakeNotices(*realm); !taken) return fail(taken.error());
  }
  HandToAgent(context, profile, keys);
  HandOverRoots(context, options, founded->roots);
  if (options.evaluation) output.Banner();
  output.Emit({{"event", "founded"},
               {"profile", profile.name()},
               {"handle", options.handle},
               {"evaluation", options.evaluation},
               {"realms", RealmsJson(founded->realms)}});
  output.Line("The organisation stands. You are owner and admin of its three realms.",
              Style::kGood);
  output.Line(
      "Next: `godwit member invite` for your colleagues; `godwit org fingerprint` to compare.");
  return ExitCode::kOk;
}

ExitCode OrgSign(const Context& context, const OrgSignOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("sign the draft", why); };
  auto draft = LoadDraft(options.draft);
  if (!draft) return fail(draft.error());
  if (draft->evaluation()) output.Banner();
  if (const auto fits = CheckPlace(context, draft->evaluation()); !fits) return fail(fits.error());
  ShowDraft(output, *draft);

  auto there = client::Profile::Open(context.common.profile);
  if (!there && there.error().code() != Code::kNotFound) return fail(there.error());
  const auto passphrase =
      there ? context.prompt.Passphrase(Translated("Passphrase of {0}: ", there->name()))
            : context.prompt.NewPassphrase(LookUp(kNewPassphrase.text()));
  if (!passphrase) return fail(passphrase.error());
  if (!there) {
    const auto sure = context.prompt.Confirm(Translated("Add yourself to it?"));
    if (!sure) return fail(sure.error());
    if (!*sure) return fail(Error(Code::kCancelled, "nothing was added"));
    const auto begun = BeginFounder(context, *passphrase, *draft, options.handle, options.name);
    if (!begun) return fail(begun.error());
    const auto written = client::ReplacePrivateFile(options.draft, client::WriteDraft(*draft));
    if (!written) return fail(written.error());
    there = client::Profile::Open(context.common.profile);
    if (!there) return fail(there.error());
    if (!draft->all_there()) return SayWhereItStands(output, *draft, "added");
  }

  const auto lock = LockProfile(*there, client::Profile::Use::kWrite);
  if (!lock) return fail(lock.error());
  auto keys = UnlockFounder(*there, *passphrase);
  if (!keys) return fail(keys.error());
  if (keys->empty()) {
    return fail(Error(Code::kExists, "this profile has nothing left to sign in a draft"));
  }
  if (!draft->all_there()) return SayWhereItStands(output, *draft, "waits");
  if (!draft->complete()) {
    const auto sure =
        context.prompt.Confirm(Translated("Sign for all of it? What is signed stays."));
    if (!sure) return fail(sure.error());
    if (!*sure) return fail(Error(Code::kCancelled, "nothing was signed"));
    if (const auto status = client::SignDraft(*draft, *keys); !status) return fail(status.error());
    const auto written = client::ReplacePrivateFile(options.draft, client::WriteDraft(*draft));
    if (!written) return fail(written.error());
    if (!draft->complete()) return SayWhereItStands(output, *draft, "signed");
  }
  if (const auto status = Pin(*there, *passphrase, *draft, *std::move(keys)); !status) {
    return fail(status.error());
  }
  output.Line(
      "All have signed, and this device keeps the organisation's fingerprints. Compare them with "
      "the other founders' (`godwit org fingerprint`); then one of you runs `godwit org publish`.",
      Style::kGood);
  return SayWhereItStands(output, *draft, "complete");
}

ExitCode OrgPublish(const Context& context, const OrgPublishOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("publish the organisation", why); };
  const auto draft = LoadDraft(options.draft);
  if (!draft) return fail(draft.error());
  if (!draft->complete()) {
    return fail(Error(Code::kConflict,
                      "not all founders have signed the draft yet: `godwit org sign` says who"));
  }
  std::map<Compartment, base::Bytes> claims;
  for (const std::string& text : options.claims) {
    const std::size_t equals = text.find('=');
    const auto compartment =
        equals == std::string::npos ? std::nullopt : CompartmentByName(text.substr(0, equals));
    if (!compartment) {
      return fail(Error(Code::kInvalidArgument, "a claim is written NAME=FILE or NAME=fd:N"));
    }
    auto claim = ReadClaim(text.substr(equals + 1));
    if (!claim) return fail(claim.error());
    claims[*compartment] = *std::move(claim);
  }
  if (claims.size() != 3) {
    return fail(Error(Code::kInvalidArgument, "give --claim for identity, cases and journeys"));
  }
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  const auto& realms = session->organisation().realms();
  if (realms.size() != 3) {
    return fail(Error(Code::kPermissionDenied,
                      "run `godwit org sign` on the complete draft first: this profile has not "
                      "pinned it"));
  }
  const auto roots = ReadRoots(context, options.root_fd);
  if (!roots) return fail(roots.error());
  bool waits = false;
  for (const Compartment compartment : client::kFoundingOrder) {
    const std::string name(protocol::Name(compartment));
    const auto missing = client::PublishRealm(*draft, *realms.at(compartment),
                                              claims.at(compartment), roots->at(compartment));
    if (!missing && missing.error().code() == Code::kRateLimited) {
      output.Emit({{"event", "later"},
                   {"realm", name},
                   {"time_ms", draft->realms.at(compartment).time_ms}});
      output.Line(
          Translated("{0}: not before {1}, so that nobody sees the realms appear together. Run "
                     "this again then.",
                     name, TimeLabel(draft->realms.at(compartment).time_ms)),
          Style::kWarning);
      waits = true;
      continue;
    }
    if (!missing) return fail(missing.error());
    output.Emit({{"event", "published"}, {"realm", name}, {"missing", *missing}});
    output.Line(*missing > 0 ? Translated("{0}: published; what names its vaults {1}.", name,
                                          WaitsFor(*missing))
                             : Translated("{0}: published.", name),
                Style::kGood);
    waits = waits || *missing > 0;
  }
  output.Line(
      "Next: the other founders run `godwit sync` and `godwit approve`, then you run `godwit "
      "reconcile`. Destroy the draft once all of it stands.");
  return waits ? ExitCode::kPartly : ExitCode::kOk;
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
