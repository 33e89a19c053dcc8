#include "client/cli/session.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>

#include "client/drafts.h"
#include "client/identity_window.h"
#include "client/keystore_file.h"
#include "client/pinned_rows.h"
#include "client/practice.h"
#include "client/vault_view.h"
#include "protocol/ce.h"
#include "protocol/practice.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;
using client::Profile;
using protocol::Compartment;
using protocol::Kind;

constexpr int kPassphraseTries = 3;
constexpr auto kLockTimeout = std::chrono::seconds(10);
constexpr char kLastSync[] = "last-sync";

std::atomic<bool> interrupted = false;

// Opens the keystores of `locked` with one passphrase. UNAUTHENTICATED: it opens none of them.
base::Result<std::vector<client::UnlockedRealm>> UnlockWith(const Profile& profile,
                                                            const std::vector<Compartment>& locked,
                                                            const crypto::SecretBytes& passphrase) {
  std::vector<client::UnlockedRealm> realms;
  for (const Compartment compartment : locked) {
    auto realm = client::UnlockKeystoreFile(profile.KeystorePath(compartment), passphrase);
    if (!realm && realm.error().code() == Code::kDecrypt) {
      return Error(Code::kUnauthenticated,
                   "the passphrase is wrong, or the keystore was changed: which, nobody can tell");
    }
    if (!realm) return realm.error();
    realms.push_back(*std::move(realm));
  }
  return realms;
}

base::Result<client::UnlockedRealm> CopyOf(const client::UnlockedRealm& realm) {
  auto seed = protocol::DeviceSeed::Copy(realm.seed.Expose());
  if (!seed) return seed.error();
  auto store_key = client::StoreKey::Copy(realm.store_key.Expose());
  if (!store_key) return store_key.error();
  return client::UnlockedRealm{*std::move(seed), realm.info, *std::move(store_key)};
}

Status SyncLists(client::Organisation& organisation, Progress* progress) {
  Status first;
  const auto keep = [&](const Status& status) {
    if (first && !status) first = status;
    return status.ok();
  };
  for (const auto& [compartment, realm] : organisation.realms()) {
    if (!keep(SyncNames(*realm))) continue;
    bool whole = true;
    for (const Kind kind : {Kind::kPerson, Kind::kCase, Kind::kSensitive}) {
      const auto most = protocol::Lowered(kind, realm->roles(), protocol::kFull);
      if (!protocol::HasKind(compartment, kind) || (most & protocol::kRead) == 0) continue;
      if (!client::IsWindowOpen(*realm)) continue;
      const std::string phase =
          Translated("reading {0}, {1}", protocol::Name(compartment), protocol::Name(kind));
      const auto tell = [&](std::size_t done) {
        if (progress != nullptr) progress->Update(phase, done, 0);
      };
      whole = keep(client::SyncPinnedRows(*realm, kind, tell)) && whole;
    }
    if (whole) keep(SetLastSync(*realm));
  }
  return first;
}

}  // namespace

std::optional<Compartment> CompartmentByName(std::string_view name) {
  for (const Compartment compartment : kAllRealms) {
    if (protocol::Name(compartment) == name) return compartment;
  }
  return std::nullopt;
}

namespace {

base::Result<Profile> FindProfile(const Context& context) {
  if (!context.common.profile.empty()) return Profile::Open(context.common.profile);
  const auto names = Profile::List();
  if (!names) return names.error();
  if (names->empty()) {
    return Error(Code::kNotFound,
                 "there is no profile on this machine yet: `godwit member join` makes one with an "
                 "invitation, `godwit org create` founds an organisation");
  }
  if (names->size() > 1) {
    return Error(Code::kInvalidArgument,
                 "there are several profiles on this machine: choose one with --profile");
  }
  return Profile::Open(names->front());
}

}  // namespace

base::Result<Profile> ChooseProfile(const Context& context) {
  auto profile = FindProfile(context);
  if (profile && client::IsPractice(*profile)) context.output.Practice();
  return profile;
}

std::vector<std::string> AgentCommand(const Profile& profile) {
  return {"/proc/self/exe", "agent", "--profile", profile.name()};
}

base::Result<std::vector<client::UnlockedRealm>> UnlockRealms(
    const Context& context, const Profile& profile, const std::vector<Compartment>& compartments,
    Unlock unlock) {
  std::vector<client::UnlockedRealm> realms;
  std::vector<Compartment> locked;
  std::optional<client::AgentClient> agent;
  if (!context.common.no_agent && unlock == Unlock::kAgent) {
    auto connected = client::AgentClient::Connect(profile);
    if (connected) agent.emplace(*std::move(connected));
  }
  for (const Compartment compartment : profile.Realms()) {
    if (std::ranges::find(compartments, compartment) == compartments.end()) continue;
    if (agent) {
      auto realm = agent->Get(compartment);
      if (realm) {
        realms.push_back(*std::move(realm));
        continue;
      }
    }
    locked.push_back(compartment);
  }
  if (locked.empty()) return realms;

  const std::string question = Translated("Passphrase of {0}: ", profile.name());
  for (int i = 0;; ++i) {
    const auto passphrase = context.prompt.Passphrase(question);
    if (!passphrase) return passphrase.error();
    auto opened = UnlockWith(profile, locked, *passphrase);
    if (!opened) {
      const bool again = opened.error().code() == Code::kUnauthenticated &&
                         !context.prompt.HasPassphraseFd() && i + 1 < kPassphraseTries;
      if (!again) return opened.error();
      context.output.Note("That passphrase does not open it. Once more.");
      continue;
    }
    std::vector<const client::UnlockedRealm*> fresh;
    for (const auto& realm : *opened) fresh.push_back(&realm);
    HandToAgent(context, profile, fresh);
    for (auto& realm : *opened) realms.push_back(std::move(realm));
    return realms;
  }
}

void HandToAgent(const Context& context, const Profile& profile,
                 const std::vector<const client::UnlockedRealm*>& realms) {
  if (context.common.no_agent) return;
  auto agent = client::StartAgent(profile, AgentCommand(profile));
  Status status = agent ? Status() : Status(agent.error());
  for (const client::UnlockedRealm* realm : realms) {
    if (status) status = agent->Put(*realm);
  }
  if (!status) {
    context.output.Note(
        Translated("The agent does not keep the keys, so that the next command asks again: {0}",
                   WhyText(status.error())));
  }
}

base::Result<client::ProfileLock> LockProfile(const Profile& profile, Profile::Use use) {
  return profile.Lock(use, kLockTimeout);
}

base::Result<Session> Session::Open(const Context& context,
                                    const std::vector<Compartment>& compartments, Profile::Use use,
                                    Unlock unlock) {
  auto profile = ChooseProfile(context);
  if (!profile) return profile.error();
  auto lock = LockProfile(*profile, use);
  if (!lock) return lock.error();
  auto keys = UnlockRealms(context, *profile, compartments, unlock);
  if (!keys) return keys.error();
  if (keys->empty() && std::ranges::any_of(compartments, [&](Compartment compartment) {
        std::error_code ignored;
        return std::filesystem::exists(profile->FoundingPath(compartment), ignored);
      })) {
    return Error(Code::kPermissionDenied,
                 "this profile's organisation is a draft still: run `godwit org sign` with the "
                 "draft that all founders have signed");
  }
  if (keys->empty()) {
    return Error(Code::kPermissionDenied,
                 "this profile does not work in the realm that this needs");
  }
  auto session = Make(context, *std::move(profile), *std::move(lock), *std::move(keys), {});
  if (!session || use != Profile::Use::kWrite) return session;
  const auto identity = session->organisation_->Get(Compartment::kIdentity);
  if (!identity) return session;
  const auto changed = client::KeepDraftKey(session->profile_, **identity);
  if (!changed) return changed.error();
  if (*changed) {
    context.output.Note(
        "Warning: the key that drafts are sealed to was changed on this disk, and not by Godwit. "
        "Whoever did that may read what was drafted since, and may have changed more. The right "
        "key is back; tell your admin, and look at this machine before you go on.");
  }
  return session;
}

base::Result<Session> Session::Make(const Context& context, Profile profile,
                                    client::ProfileLock lock,
                                    std::vector<client::UnlockedRealm> keys,
                                    std::set<std::string> alarms) {
  std::map<Compartment, std::unique_ptr<client::Realm>> realms;
  for (client::UnlockedRealm& key : keys) {
    const Compartment compartment = key.info.compartment;
    auto realm = client::Realm::Open(std::move(key), profile.StorePath(compartment));
    if (!realm) return realm.error();
    realms[compartment] = *std::move(realm);
  }
  Session session(std::move(profile), std::move(lock),
                  std::make_unique<client::Organisation>(std::move(realms)));
  if (session.practice()) context.output.Practice();
  if (session.evaluation()) context.output.Banner();
  session.alarms_ = std::make_unique<Alarms>(context.output, *session.organisation_);
  session.alarms_->shown() = std::move(alarms);
  if (const auto shown = session.alarms_->Begin(); !shown) return shown.error();
  return session;
}

base::Result<Session> Session::Resume(const Context& context, StandBy& kept) {
  auto lock = LockProfile(kept.profile, Profile::Use::kWrite);
  if (!lock) return lock.error();
  std::vector<client::UnlockedRealm> keys;
  for (const client::UnlockedRealm& key : kept.keys) {
    auto copy = CopyOf(key);
    if (!copy) return copy.error();
    keys.push_back(*std::move(copy));
  }
  auto session = Make(context, kept.profile, *std::move(lock), std::move(keys), kept.alarms);
  if (session) kept.alarms = session->alarms_->shown();
  return session;
}

Status Session::ShowAlarms() {
  alarms_->shown().clear();
  return alarms_->Begin();
}

base::Result<StandBy> Session::Keep(const Context& context) const {
  StandBy kept{profile_, {}, false, alarms_->shown()};
  for (const auto& [compartment, realm] : organisation_->realms()) {
    auto copy = CopyOf(realm->keys());
    if (!copy) return copy.error();
    kept.keys.push_back(*std::move(copy));
  }
  kept.agent = !context.common.no_agent;
  if (kept.IsLocked()) kept.agent = false;
  return kept;
}

bool StandBy::IsLocked() const {
  if (!agent) return false;
  auto connected = client::AgentClient::Connect(profile);
  const auto unlocked = connected ? connected->List() : connected.error();
  return !unlocked || std::ranges::any_of(keys, [&](const client::UnlockedRealm& key) {
    return std::ranges::find(*unlocked, key.info.compartment) == unlocked->end();
  });
}

Session::~Session() {
  if (alarms_ != nullptr) alarms_->End();
}

bool Session::evaluation() const {
  return std::ranges::any_of(organisation_->realms(),
                             [](const auto& row) { return row.second->info().evaluation; });
}

bool Session::practice() const {
  return std::ranges::any_of(organisation_->realms(), [](const auto& row) {
    const auto& roster = row.second->roster();
    return !roster.empty() && protocol::IsPractice(roster.policy());
  });
}

base::Result<std::optional<std::uint64_t>> LastSync(client::Realm& realm) {
  const auto value = realm.store().Get(kLastSync);
  if (!value) return value.error();
  if (!*value) return std::optional<std::uint64_t>();
  protocol::Reader reader(**value);
  const std::uint64_t time_ms = reader.U64();
  if (!reader.Done()) return Error(Code::kStateLost, "the time of the last sync is malformed");
  return std::optional(time_ms);
}

Status SetLastSync(client::Realm& realm) {
  protocol::Writer writer;
  writer.U64(base::SystemClock().NowMs());
  return realm.store().Put(kLastSync, writer.Take());
}

Status SyncNames(client::Realm& realm) {
  if (const auto synced = realm.Sync(); !synced) return synced;
  const auto& vaults = realm.roster().policy().vaults;
  const auto directory = vaults.find(static_cast<std::uint8_t>(Kind::kDirectory));
  if (directory == vaults.end()) return {};
  const auto fetched = client::VaultView::Fetch(realm, directory->second);
  // A newcomer whom nobody has listed yet reads no names.
  if (!fetched && fetched.error().code() != Code::kNotFound) return fetched.error();
  return {};
}

Status SyncNames(client::Organisation& organisation) {
  for (const auto& [compartment, realm] : organisation.realms()) {
    if (const auto synced = SyncNames(*realm); !synced) return synced;
  }
  return {};
}

Status SyncLists(client::Organisation& organisation, Progress& progress) {
  return SyncLists(organisation, &progress);
}

Status SyncLists(client::Organisation& organisation) { return SyncLists(organisation, nullptr); }

bool IsOffline(const Status& status) {
  return !status &&
         (status.error().code() == Code::kUnavailable || status.error().code() == Code::kDeadline);
}

void CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = true; };
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: a read that waits for an answer shall end.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return interrupted; }

}  // namespace godwit::cli
