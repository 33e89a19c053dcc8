#include "client/realm.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "client/connect.h"
#include "client/self_audit.h"
#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/statement.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Claim;

constexpr int kTries = 8;
constexpr char kPukBoxes[] = "puk-boxes";

base::Bytes WritePukBoxes(const std::map<std::uint32_t, base::Bytes>& boxes) {
  protocol::Writer w;
  w.U16(static_cast<std::uint16_t>(boxes.size()));
  for (const auto& [gen, box] : boxes) w.U32(gen).Var16(box);
  return w.Take();
}

std::map<std::uint32_t, base::Bytes> ReadPukBoxes(base::ByteSpan bytes) {
  std::map<std::uint32_t, base::Bytes> boxes;
  protocol::Reader reader(bytes);
  reader.List([&](protocol::Reader& r) {
    const std::uint32_t gen = r.U32();
    r.KeyEnds();
    boxes[gen] = base::ToBytes(r.Var16());
  });
  return boxes;
}

// Races that another look at the service resolves.
bool IsRace(Code code) {
  return code == Code::kConflict || code == Code::kStaleRoster || code == Code::kFork;
}

}  // namespace

bool IsLostAnswer(Code code) {
  return code == Code::kUnavailable || code == Code::kDeadline || code == Code::kResourceExhausted;
}

Realm::Realm(UnlockedRealm keys, protocol::Device device)
    : keys_(std::move(keys)),
      id_(protocol::RealmOf(keys_.info.fingerprint)),
      device_(std::move(device)) {}

Realm::~Realm() = default;

base::Result<std::unique_ptr<Realm>> Realm::Open(UnlockedRealm keys,
                                                 const std::filesystem::path& store_path) {
  auto device = protocol::Device::FromSeed(keys.seed);
  if (!device) return device.error();
  std::unique_ptr<Realm> realm(new Realm(std::move(keys), *std::move(device)));
  auto store = Store::Open(store_path, realm->keys_.store_key, realm->id_);
  if (!store) return store.error();
  realm->store_ = std::make_unique<Store>(*std::move(store));

  const auto statements = realm->store_->Roster();
  if (!statements) return statements.error();
  for (const base::Bytes& statement : *statements) {
    if (const auto status = realm->roster_.Append(statement); !status) return status.error();
  }
  if (!statements->empty()) {
    if (realm->roster_.fingerprint() != realm->keys_.info.fingerprint) {
      return Error(Code::kStateLost, "the local store belongs to another realm than the keystore");
    }
    realm->last_statement_ = statements->back();
  }
  const auto boxes = realm->store_->Get(kPukBoxes);
  if (!boxes) return boxes.error();
  if (*boxes) realm->puk_boxes_ = ReadPukBoxes(**boxes);

  realm->server_ = ConnectTo(realm->keys_.info, realm->device_);
  return realm;
}

protocol::Roles Realm::roles() const {
  return roster_.empty() ? protocol::Roles{0} : roster_.RolesAt(member(), roster_.head_seq());
}

protocol::EntryHeader Realm::EntryHeaderNow() const {
  protocol::EntryHeader header;
  header.realm = id_;
  header.author_member = member();
  header.author_device = device_.id();
  header.roster_seq = roster_.head_seq();
  header.roster_head = roster_.head();
  return header;
}

EvidenceItem Realm::ToKeep(const Error& error, protocol::Evidence piece,
                           std::uint64_t statements_before, std::uint64_t entries_before) const {
  piece.fingerprint = keys_.info.fingerprint;
  return {error.code(), statements_before, entries_before, std::move(piece)};
}

void Realm::KeepEvidence(const Error& error, protocol::Evidence piece,
                         std::uint64_t statements_before, std::uint64_t entries_before) {
  // Keeping it is a help for later; that it cannot be kept must not hide the error itself.
  (void)store_->KeepEvidence(ToKeep(error, std::move(piece), statements_before, entries_before));
}

Status Realm::TakeStatements(std::uint64_t from_seq, const std::vector<base::Bytes>& statements) {
  std::vector<base::Bytes> news = statements;
  // The first one asked for is the last one known: the service must still have it (R7).
  if (from_seq < roster_.size()) {
    if (news.empty()) {
      const Error error(Code::kRollback,
                        "the service shows an older roster than before: tell your colleagues by "
                        "another way, and keep the evidence");
      KeepEvidence(
          error,
          {.claim = Claim::kOlderRoster, .exhibits = {base::ToBytes(roster_.head().bytes())}},
          roster_.size());
      return error;
    }
    if (news.front() != *last_statement_) {
      const Error error(Code::kFork,
                        "the service shows another roster than before: tell your colleagues by "
                        "another way, and keep the evidence");
      KeepEvidence(error,
                   {.claim = Claim::kTwoStatements, .exhibits = {*last_statement_, news.front()}},
                   roster_.head_seq());
      return error;
    }
    news.erase(news.begin());
  }
  if (news.empty()) return {};
  protocol::Roster next = roster_;
  for (auto statement = news.begin(); statement != news.end(); ++statement) {
    if (const auto status = next.Append(*statement); !status) {
      if (status.error().code() != Code::kUnsupported) {
        KeepEvidence(status.error(),
                     {.claim = Claim::kStatement,
                      .statements = {news.begin(), statement},
                      .exhibits = {*statement}},
                     roster_.size());
      }
      return status;
    }
    if (next.fingerprint() != keys_.info.fingerprint) {
      const Error error(Code::kRosterInvalid,
                        "the service shows the roster of another realm than the one pinned here");
      KeepEvidence(error, {.claim = Claim::kOtherRealm, .exhibits = {*statement}}, 0);
      return error;
    }
  }
  if (const auto status = store_->AppendRoster(roster_.size(), news); !status) return status;
  roster_ = std::move(next);
  last_statement_ = news.back();
  return {};
}

Status Realm::FetchStatements() {
  const std::uint64_t from = roster_.empty() ? 0 : roster_.head_seq();
  const auto statements = server_->FetchRoster(from);
  if (!statements) return statements.error();
  return TakeStatements(from, *statements);
}

Status Realm::Sync() {
  if (const auto status = FetchStatements(); !status) return status;
  return EnsurePuk();
}

Status Realm::SyncUnder(const base::InviteId& invite) {
  const std::uint64_t from = roster_.empty() ? 0 : roster_.head_seq();
  const auto statements = server_->FetchRoster(from, invite);
  if (!statements) return statements.error();
  return TakeStatements(from, *statements);
}

base::Result<std::uint64_t> Realm::Author(const protocol::StatementPayload& payload,
                                          std::vector<transport::DeviceBox> boxes) {
  return AuthorDrafts([&] { return std::optional(Draft{payload, boxes}); });
}

base::Result<std::uint64_t> Realm::AuthorDrafts(const Drafter& draft) {
  const auto missing = [&](std::uint64_t seq) -> std::uint64_t {
    const auto* waits = roster_.FindPending(roster_.LinkAt(seq));
    return waits == nullptr ? 0 : roster_.MissingSignatures(*waits);
  };
  std::vector<std::pair<std::uint64_t, base::Link>> tries;
  for (int i = 0;; ++i) {
    const auto drafted = draft();
    if (!drafted) return drafted.error();
    if (!*drafted) return 0;
    protocol::StatementHeader header;
    header.realm = id_;
    header.seq = roster_.size();
    header.prev = roster_.head();
    header.author_member = member();
    header.author_device = device_.id();
    header.time_ms = base::SystemClock().NowMs();
    const base::Bytes statement =
        protocol::SignStatement(header, (*drafted)->payload, device_.signing_key());
    // What the own verifier refuses is not sent.
    protocol::Roster next = roster_;
    if (const auto status = next.Append(statement); !status) return status.error();
    const auto sent = server_->AppendStatements({{statement, (*drafted)->boxes}});
    if (sent) {
      if (const auto status = store_->AppendRoster(roster_.size(), {statement}); !status) {
        return status.error();
      }
      roster_ = std::move(next);
      last_statement_ = statement;
      return missing(header.seq);
    }
    const Code code = sent.error().code();
    if (!(IsRace(code) || IsLostAnswer(code)) || i + 1 == kTries) return sent.error();
    tries.emplace_back(header.seq, protocol::StatementLink(statement));
    if (const auto status = FetchStatements(); !status) return status.error();
    for (const auto& [seq, link] : tries) {
      if (seq < roster_.size() && roster_.LinkAt(seq) == link) return missing(seq);
    }
  }
}

Status Realm::RotatePuk() { return Rotate(false); }

Status Realm::Rotate(bool only_if_wanted) {
  std::optional<protocol::Puk> puk;
  std::optional<crypto::KemKeyPair> pair;
  protocol::PukRotate rotate;
  base::Bytes own_box;
  const auto* before = roster_.PukAt(member(), roster_.head_seq());
  const std::uint32_t gen_before = before == nullptr ? 0 : before->gen;
  const auto draft = [&]() -> base::Result<std::optional<Draft>> {
    puk.reset();
    const auto* now = roster_.PukAt(member(), roster_.head_seq());
    const bool is_late = now != nullptr && now->gen > gen_before;
    if ((only_if_wanted || is_late) && !WantsPuk()) return std::optional<Draft>();
    // What another device of this member made is wrapped, too.
    if (const auto fetched = FetchPuks(); !fetched) return fetched.error();
    auto fresh = protocol::Puk::Random();
    if (!fresh) return fresh.error();
    auto fresh_pair = protocol::PukKem(*fresh);
    if (!fresh_pair) return fresh_pair.error();
    const std::uint64_t head = roster_.head_seq();
    const auto* last = roster_.PukAt(member(), head);
    rotate = {};
    rotate.member = member();
    rotate.gen = (last == nullptr ? 0 : last->gen) + 1;
    rotate.kems = {{protocol::kAlgX25519, fresh_pair->public_key}};
    // The newest older PUK that this device knows; none is an honest answer.
    for (std::uint32_t gen = rotate.gen - 1; gen > 0; --gen) {
      if (!PukPair(gen)) continue;
      auto wrap = protocol::WrapPreviousPuk(*fresh, id_, member(), rotate.gen, gen, puks_.at(gen));
      if (!wrap) return wrap.error();
      rotate.prev_gen = gen;
      rotate.prev_wrap = *std::move(wrap);
      break;
    }
    Draft drafted;
    for (const base::DeviceId& device : roster_.ActiveDevicesAt(member(), head)) {
      auto box = protocol::SealPuk(*fresh, id_, member(), rotate.gen, device,
                                   roster_.FindDevice(device)->keys.kems);
      if (!box) return box.error();
      rotate.box_hashes[device] = base::Sha256Hash(crypto::Sha256(*box));
      if (device == device_.id()) own_box = *box;
      drafted.boxes.push_back({device, *std::move(box)});
    }
    // Before it is sent: one of this device's that it knows nothing of is by somebody with its key.
    const auto noted = NoteOwnPuk(*store_, fresh_pair->public_key);
    if (!noted) return noted.error();
    drafted.payload = rotate;
    puk = *std::move(fresh);
    pair = *std::move(fresh_pair);
    return std::optional(std::move(drafted));
  };
  if (const auto authored = AuthorDrafts(draft); !authored) return authored.error();
  if (!puk) return FetchPuks();
  // Of several tries an earlier one may stand: its PUK comes in its box.
  const auto* newest = roster_.PukAt(member(), roster_.head_seq());
  if (newest == nullptr || newest->kems != rotate.kems) return FetchPuks();
  puk_boxes_[rotate.gen] = own_box;
  puks_.emplace(rotate.gen, *std::move(puk));
  puk_pairs_.emplace(rotate.gen, *std::move(pair));
  return store_->Put(kPukBoxes, WritePukBoxes(puk_boxes_));
}

base::Result<std::uint64_t> Realm::AddDevice(const protocol::DeviceKeys& device,
                                             const crypto::Signature& pop) {
  const base::DeviceId id = protocol::DeviceIdOf(device);
  return AuthorDrafts([&]() -> base::Result<std::optional<Draft>> {
    // Nobody adds a device while the PUK is stale, and the box is of the newest.
    if (const auto ready = EnsurePuk(); !ready) return ready.error();
    const auto* puk = roster_.PukAt(member(), roster_.head_seq());
    const auto pair = PukPair(puk->gen);
    if (!pair) return pair.error();
    auto box = protocol::SealPuk(puks_.at(puk->gen), id_, member(), puk->gen, id, device.kems);
    if (!box) return box.error();
    if (const auto noted = NoteOwnDevice(*store_, id); !noted) return noted.error();
    protocol::DeviceAdd add;
    add.member = member();
    add.device = device;
    add.puk_gen = puk->gen;
    add.box_hash = base::Sha256Hash(crypto::Sha256(*box));
    add.pop = pop;
    return std::optional(Draft{add, {{id, *std::move(box)}}});
  });
}

// This device must be in the roster, under this member, with a PUK that it can open. Whose other
// devices and PUKs stand there is for client/self_audit.h.
Status Realm::EnsurePuk() {
  const std::uint64_t head = roster_.head_seq();
  const auto* listed = roster_.FindDevice(device_.id());
  if (listed == nullptr) {
    return Error(Code::kPermissionDenied,
                 "this device is not in the roster: finish joining, or ask for an invitation");
  }
  if (listed->member != member()) {
    return Error(Code::kRosterInvalid, "the roster lists this device under another member");
  }
  if (!roster_.IsActiveAt(device_.id(), head)) {
    return Error(Code::kPermissionDenied,
                 "this device was revoked: what it holds stays readable here, nothing new comes; "
                 "ask an admin for a new invitation");
  }
  // Another device of this member may be faster: then its PUK is fetched.
  for (int i = 0; i < kTries; ++i) {
    if (const auto fetched = FetchPuks(); !fetched) return fetched;
    if (!WantsPuk()) break;
    if (const auto rotated = Rotate(true); !rotated) return rotated;
  }
  const auto* puk = roster_.PukAt(member(), roster_.head_seq());
  if (puk == nullptr)
    return Error(Code::kConflict, "other devices of yours change keys: try again");
  const auto pair = PukPair(puk->gen);
  if (!pair && pair.error().code() == Code::kKeyMismatch) {
    // The box is the listed one, so the fault is its author's: evidence, and a new PUK.
    KeepPukBox(pair.error(), Claim::kPukBoxClosed, puk->gen, puk_boxes_[puk->gen]);
    puk_boxes_.erase(puk->gen);
    return RotatePuk();
  }
  if (!pair) return pair.error();
  return {};
}

bool Realm::WantsPuk() const {
  const std::uint64_t head = roster_.head_seq();
  return roster_.PukAt(member(), head) == nullptr || roster_.IsStaleAt(member(), head);
}

Status Realm::FetchPuks() {
  const auto* self = roster_.FindMember(member());
  const std::uint32_t newest = puk_boxes_.empty() ? 0 : puk_boxes_.rbegin()->first;
  const bool any = self != nullptr && std::ranges::any_of(self->puks, [&](const auto& puk) {
                     return puk.gen > newest && ListedPukBox(puk.gen) != nullptr;
                   });
  if (!any) return {};
  const auto boxes = server_->FetchPukBoxes(std::max<std::uint32_t>(newest, 1));
  if (!boxes) return boxes.error();
  for (const auto& box : *boxes) {
    const base::Sha256Hash* hash = ListedPukBox(box.gen);
    if (hash == nullptr) continue;
    // Kept, it would stand in the place of the right one.
    if (base::Sha256Hash(crypto::Sha256(box.box)) != *hash) {
      const Error error(Code::kKeyMismatch,
                        "the service changed the box of a PUK: what it sent is refused");
      KeepPukBox(error, Claim::kPukBoxChanged, box.gen, box.box);
      return error;
    }
    puk_boxes_[box.gen] = box.box;
  }
  return store_->Put(kPukBoxes, WritePukBoxes(puk_boxes_));
}

void Realm::KeepPukBox(const Error& error, Claim claim, std::uint32_t gen, base::ByteSpan box) {
  protocol::Writer which;
  which.Fixed(member()).U32(gen).Fixed(device_.id());
  KeepEvidence(error, {.claim = claim, .exhibits = {which.Take(), base::ToBytes(box)}},
               roster_.size());
}

const protocol::Roster::PukGen* Realm::ListedPuk(std::uint32_t gen) const {
  const auto* self = roster_.FindMember(member());
  if (self == nullptr) return nullptr;
  const auto listed = std::ranges::find(self->puks, gen, &protocol::Roster::PukGen::gen);
  return listed == self->puks.end() ? nullptr : &*listed;
}

const base::Sha256Hash* Realm::ListedPukBox(std::uint32_t gen) const {
  const auto* listed = ListedPuk(gen);
  if (listed == nullptr) return nullptr;
  const auto hash = listed->box_hashes.find(device_.id());
  return hash == listed->box_hashes.end() ? nullptr : &hash->second;
}

base::Result<const crypto::KemKeyPair*> Realm::PukPair(std::uint32_t gen) {
  if (const auto known = puk_pairs_.find(gen); known != puk_pairs_.end()) return &known->second;
  const Error mismatch(Code::kKeyMismatch, "a PUK is not the one that the roster lists");
  const Error unreachable(Code::kNotFound, "this device cannot reach that PUK");
  const auto* listed = ListedPuk(gen);
  if (listed == nullptr) return unreachable;

  if (const auto opens = protocol::CheckOpens(listed->suite); !opens) return opens.error();

  std::optional<protocol::Puk> puk;
  // Each box here was the listed one when it came.
  if (const auto box = puk_boxes_.find(gen); box != puk_boxes_.end()) {
    auto opened = protocol::OpenPuk(box->second, id_, member(), gen, device_);
    if (!opened) return mismatch;
    puk = *std::move(opened);
  } else {
    for (const auto& newer : roster_.FindMember(member())->puks) {
      if (newer.prev_gen != gen) continue;
      if (const auto pair = PukPair(newer.gen); !pair) continue;
      auto opened = protocol::UnwrapPreviousPuk(puks_.at(newer.gen), id_, member(), newer.gen, gen,
                                                newer.prev_wrap);
      if (!opened) return mismatch;
      puk = *std::move(opened);
      break;
    }
  }
  if (!puk) return unreachable;
  // The public half is computed anew and must be the listed one.
  auto pair = protocol::PukKem(*puk);
  if (!pair) return pair.error();
  if (pair->public_key != listed->kems.at(protocol::kAlgX25519)) return mismatch;
  puks_.emplace(gen, *std::move(puk));
  return &puk_pairs_.emplace(gen, *std::move(pair)).first->second;
}

}  // namespace godwit::client
