#include "client/drafts.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/clock.h"
#include "client/outbox.h"
#include "client/private_file.h"
#include "crypto/box.h"
#include "crypto/hash.h"
#include "crypto/kem.h"
#include "crypto/padding.h"
#include "crypto/random.h"
#include "godwit/content/v1/local.pb.h"
#include "protocol/ce.h"
#include "protocol/keystore.h"
#include "protocol/labels.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::DraftPlan;
using protocol::Compartment;

constexpr std::string_view kKeyTag = "gw1/dk";
constexpr std::string_view kDraftTag = "gw1/dr";
constexpr std::uint8_t kVersion = 1;
constexpr std::string_view kKeptKeys = "draft-key";
// So that most drafts have one length.
constexpr std::size_t kPadFloor = 2048;
constexpr std::size_t kMaxDraft = 1 << 20;
constexpr std::size_t kMaxKeystore = 64 * 1024;

// key = "gw1/dk"|u8 ver|u16 suite|realm|member|u32 puk_gen|kem_pk[32]|SHA-256(all before)
constexpr std::size_t kKeySize = 6 + 1 + 2 + 16 + 16 + 4 + 32 + 32;
struct DraftKey {
  base::RealmId realm;
  base::MemberId member;
  std::uint32_t gen = 0;
  base::Bytes kem;
};

base::Bytes WriteKey(const DraftKey& key) {
  protocol::Writer w;
  w.Raw(kKeyTag).U8(kVersion).U16(protocol::kSuite1).Fixed(key.realm).Fixed(key.member);
  w.U32(key.gen).Raw(key.kem);
  const auto sum = crypto::Sha256(w.bytes());
  return w.Raw(sum).Take();
}

std::optional<DraftKey> ReadKey(base::ByteSpan file) {
  protocol::Reader r(file);
  const base::ByteSpan tag = r.Raw(kKeyTag.size());
  const std::uint8_t ver = r.U8();
  const std::uint16_t suite = r.U16();
  DraftKey key{r.Take<base::RealmId>(), r.Take<base::MemberId>(), r.U32(),
               base::ToBytes(r.Raw(32))};
  const auto sum = r.Take<base::Sha256Hash>();
  if (!r.Done() || !std::ranges::equal(tag, base::AsBytes(kKeyTag)) || ver != kVersion ||
      suite != protocol::kSuite1 || !crypto::IsStrictX25519Key(key.kem) ||
      sum != base::Sha256Hash(crypto::Sha256(file.first(file.size() - 32)))) {
    return std::nullopt;
  }
  return key;
}

// header = "gw1/dr"|u8 ver|u16 suite|realm|member|u32 puk_gen|id[16]
// draft  = header | Sealed(puk_kem, "draft", header, padded Draft)
base::Bytes WriteHeader(const DraftKey& key, const DraftId& id) {
  protocol::Writer w;
  w.Raw(kDraftTag).U8(kVersion).U16(protocol::kSuite1).Fixed(key.realm).Fixed(key.member);
  w.U32(key.gen).Fixed(id);
  return w.Take();
}

std::filesystem::path PathOf(const Profile& profile, const DraftId& id) {
  return profile.DraftsPath() / base::ToHex(id.bytes());
}

std::string PlanName(const DraftId& id) { return "draft:" + base::ToHex(id.bytes()); }

Error Changed() {
  return Error(Code::kDecrypt,
               "the draft does not open: it was changed, or sealed to a key that is not yours. It "
               "is kept; `godwit person draft --discard ID` gives it up");
}

// The new case of a draft, opened with the member's PUK.
base::Result<NewCase> OpenDraft(const Profile& profile, Realm& identity, const DraftId& id) {
  const auto file = ReadPrivateFile(PathOf(profile, id), kMaxDraft);
  if (!file) return file.error();
  protocol::Reader r(*file);
  const base::ByteSpan tag = r.Raw(kDraftTag.size());
  const std::uint8_t ver = r.U8();
  const std::uint16_t suite = r.U16();
  DraftKey key{r.Take<base::RealmId>(), r.Take<base::MemberId>(), r.U32(), {}};
  const auto named = r.Take<DraftId>();
  if (!r.ok() || !std::ranges::equal(tag, base::AsBytes(kDraftTag))) return Changed();
  if (ver != kVersion || suite != protocol::kSuite1) {
    return Error(Code::kUnsupported, "the draft is of a later version: update Godwit");
  }
  if (key.realm != identity.id() || key.member != identity.member()) {
    return Error(Code::kPermissionDenied,
                 "the draft is another member's, or of another realm: it is kept, and is theirs to "
                 "take in");
  }
  if (named != id) return Changed();
  const auto pair = identity.PukPair(key.gen);
  if (!pair) return pair.error();
  const auto padded = crypto::OpenSealed(crypto::DefaultHpke(), **pair, protocol::labels::kDraft,
                                         WriteHeader(key, id), r.rest());
  if (!padded) return Changed();
  const auto text = crypto::Unpad(padded->Expose(), kPadFloor);
  if (!text) return Changed();
  content::v1::Draft draft;
  const auto bytes = text->Expose();
  if (!draft.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Changed();
  NewCase made;
  made.supervisor = draft.supervisor();
  made.summary = draft.summary();
  made.facts = draft.facts();
  made.profile = draft.profile();
  if (draft.has_trafficking()) made.trafficking = draft.trafficking();
  made.day = draft.written_day();
  return made;
}

Status KeepPlan(Realm& identity, const DraftId& id, const DraftPlan& plan) {
  const std::string bytes = plan.SerializeAsString();
  return identity.store().Put(PlanName(id), base::AsBytes(bytes));
}

// Whether a vault of a plan was put into the outbox before: it waits there, or it was sent.
base::Result<bool> IsThere(Realm& realm, const base::VaultId& vault) {
  const auto sent = realm.store().Remembered(vault);
  if (!sent) return sent.error();
  if (*sent) return true;
  const auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  return std::ranges::any_of(*waiting, [&](const Pending& each) { return each.vault == vault; });
}

}  // namespace

std::string ShortId(const DraftId& draft) { return base::ToHex(draft.bytes()).substr(0, 8); }

base::Result<bool> KeepDraftKey(const Profile& profile, Realm& identity) {
  const auto& roster = identity.roster();
  const auto* puk = roster.PukAt(identity.member(), roster.head_seq());
  if (puk == nullptr) return false;
  const base::Bytes wanted =
      WriteKey({identity.id(), identity.member(), puk->gen, puk->kems.at(protocol::kAlgX25519)});
  // What this device wrote last, and the one before: a crash may leave either in the file.
  const auto kept = identity.store().Get(kKeptKeys);
  if (!kept) return kept.error();
  const base::Bytes known = kept->value_or(base::Bytes());
  const auto wrote = [&](const base::Bytes& file) {
    for (std::size_t at = 0; at + kKeySize <= known.size(); at += kKeySize) {
      if (std::ranges::equal(base::ByteSpan(known).subspan(at, kKeySize), file)) return true;
    }
    return false;
  };
  const auto there = ReadPrivateFile(profile.DraftKeyPath(), kKeySize);
  const bool missing = !there && there.error().code() == Code::kNotFound;
  const bool own = there && wrote(*there);
  if (own && *there == wanted) return false;
  base::Bytes keep = wanted;
  if (own) keep.insert(keep.end(), there->begin(), there->end());
  if (const auto put = identity.store().Put(kKeptKeys, keep); !put) return put.error();
  if (const auto put = ReplacePrivateFile(profile.DraftKeyPath(), wanted); !put) return put.error();
  return !missing && !own;
}

base::Result<DraftId> WriteDraft(const Profile& profile, const NewCase& new_case) {
  if (const auto fits = CheckNewCase(new_case); !fits) return fits.error();
  if (new_case.supervisor.empty()) {
    return Error(Code::kInvalidArgument, "name the supervisor: --supervisor HANDLE");
  }
  const auto file = ReadPrivateFile(profile.DraftKeyPath(), kKeySize);
  if (!file && file.error().code() == Code::kNotFound) {
    return Error(Code::kNotFound,
                 "no key for drafts is on this device yet: run `godwit sync` once, unlocked");
  }
  if (!file) return file.error();
  const auto keystore = ReadPrivateFile(profile.KeystorePath(Compartment::kIdentity), kMaxKeystore);
  if (!keystore) return keystore.error();
  const auto header = protocol::ReadKeystoreHeader(*keystore);
  if (!header) return header.error();
  const auto key = ReadKey(*file);
  if (!key || key->realm != header->realm) {
    return Error(Code::kKeyMismatch,
                 "the key for drafts is damaged, or not this profile's: nothing is written with "
                 "it. Run `godwit sync`, unlocked, which puts the right one back");
  }
  content::v1::Draft draft;
  draft.set_supervisor(new_case.supervisor);
  *draft.mutable_summary() = new_case.summary;
  *draft.mutable_facts() = new_case.facts;
  *draft.mutable_profile() = new_case.profile;
  if (new_case.trafficking) *draft.mutable_trafficking() = *new_case.trafficking;
  draft.set_written_day(static_cast<std::uint32_t>(base::SystemClock().NowMs() / 86'400'000));
  const std::string text = draft.SerializeAsString();
  const auto padded = crypto::Pad(base::AsBytes(text), kPadFloor);

  const auto id = crypto::RandomId<DraftId>();
  base::Bytes sealed = WriteHeader(*key, id);
  const auto body = crypto::SealTo(crypto::DefaultHpke(), key->kem, protocol::labels::kDraft,
                                   sealed, padded.Expose());
  if (!body) return body.error();
  sealed.insert(sealed.end(), body->begin(), body->end());
  if (const auto folder = MakePrivateDir(profile.DraftsPath()); !folder) return folder.error();
  if (const auto kept = WriteNewPrivateFile(PathOf(profile, id), sealed); !kept)
    return kept.error();
  return id;
}

base::Result<std::vector<DraftId>> ListDrafts(const Profile& profile) {
  std::vector<DraftId> drafts;
  if (const auto folder = OpenPrivateDir(profile.DraftsPath()); !folder) {
    if (folder.error().code() == Code::kNotFound) return drafts;
    return folder.error();
  }
  std::error_code error;
  for (std::filesystem::directory_iterator entry(profile.DraftsPath(), error), end;
       !error && entry != end; entry.increment(error)) {
    const auto bytes = base::FromHex(entry->path().filename().string());
    const auto id = bytes ? DraftId::FromBytes(*bytes) : std::nullopt;
    if (id) drafts.push_back(*id);
  }
  if (error) return Error(Code::kIo, "the folder of drafts cannot be read");
  std::ranges::sort(drafts);
  return drafts;
}

base::Result<DraftId> FindDraft(const Profile& profile, std::string_view id) {
  const auto drafts = ListDrafts(profile);
  if (!drafts) return drafts.error();
  std::optional<DraftId> found;
  for (const DraftId& draft : *drafts) {
    if (id.empty() || !base::ToHex(draft.bytes()).starts_with(id)) continue;
    if (found) {
      return Error(Code::kInvalidArgument, "several begin like that: give more of the id");
    }
    found = draft;
  }
  if (!found) return Error(Code::kNotFound, "no such draft waits here");
  return *found;
}

Status DiscardDraft(const Profile& profile, const DraftId& draft) {
  if (unlink(PathOf(profile, draft).c_str()) != 0 && errno != ENOENT) {
    return Error(Code::kIo, "the draft cannot be deleted");
  }
  return {};
}

base::Result<std::string> TakeDraftIn(const Profile& profile, Organisation& organisation,
                                      const DraftId& draft, std::string_view supervisor,
                                      const std::function<bool()>& step) {
  const Error stopped(Code::kCancelled, "interrupted: the same command goes on");
  const auto go_on = [&] { return !step || step(); };
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto kept = (*identity)->store().Get(PlanName(draft));
  if (!kept) return kept.error();
  DraftPlan plan;
  if (*kept) {
    if (!plan.ParseFromArray((*kept)->data(), static_cast<int>((*kept)->size()))) {
      return Error(Code::kStateLost, "what a draft becomes is malformed");
    }
    if (plan.vaults().empty()) {
      if (const auto gone = DiscardDraft(profile, draft); !gone) return gone.error();
      return Error(Code::kExists,
                   "the draft was taken in before: its file was put back, and is gone");
    }
  } else {
    auto new_case = OpenDraft(profile, **identity, draft);
    if (!new_case) return new_case.error();
    if (!supervisor.empty()) new_case->supervisor = supervisor;
    const auto planned = PlanCase(organisation, *std::move(new_case));
    if (!planned) return planned.error();
    plan.set_code(planned->code);
    for (const auto& [compartment, pending] : planned->vaults) {
      auto& row = *plan.add_vaults();
      row.set_compartment(static_cast<std::uint32_t>(compartment));
      *row.mutable_pending() = ToEntry(pending);
    }
    if (!go_on()) return stopped;
    if (const auto put = KeepPlan(**identity, draft, plan); !put) return put.error();
  }
  for (const auto& row : plan.vaults()) {
    const auto realm = organisation.Get(static_cast<Compartment>(row.compartment()));
    if (!realm) return realm.error();
    auto pending = FromEntry(row.pending());
    if (!pending) return pending.error();
    const auto there = IsThere(**realm, pending->vault);
    if (!there) return there.error();
    if (*there) continue;
    if (!go_on()) return stopped;
    if (const auto queued = Queue(**realm, *std::move(pending)); !queued) return queued.error();
  }
  if (!go_on()) return stopped;
  plan.clear_vaults();
  if (const auto put = KeepPlan(**identity, draft, plan); !put) return put.error();
  if (!go_on()) return stopped;
  if (const auto gone = DiscardDraft(profile, draft); !gone) return gone.error();
  return plan.code();
}

}  // namespace godwit::client
