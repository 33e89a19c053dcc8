#include "tests/support/builders.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/labels.h"
#include "tests/support/keys.h"

namespace godwit::support {
namespace {

using protocol::Device;

protocol::Device NewDevice(Person& person, TestRealm& realm) {
  const base::Bytes seed = realm.Fresh();
  person.seeds.push_back(
      Must(protocol::DeviceSeed::Copy(std::span(seed).first<protocol::DeviceSeed::kSize>())));
  return Must(Device::FromSeed(person.seeds.back()));
}

base::Bytes Encoded(const protocol::DeviceKeys& keys) {
  protocol::Writer w;
  protocol::WriteDeviceKeys(w, keys);
  return w.Take();
}

template <class Id>
Id IdFrom(const base::Bytes& bytes) {
  return Id(base::ByteSpan(bytes).first<Id::kSize>());
}

}  // namespace

void Require(const base::Status& status) {
  if (status) return;
  std::cerr << "a builder's own part failed: " << base::Name(status.error().code()) << ": "
            << status.error().message() << "\n";
  std::abort();
}

base::Bytes SignRaw(const protocol::StatementHeader& h, base::ByteSpan payload,
                    const crypto::SigningKey& key) {
  protocol::Writer body;
  body.Raw("gw1/st").U8(h.ver).U16(h.suite).Fixed(h.realm).U64(h.seq).Fixed(h.prev).U8(h.type);
  body.Fixed(h.author_member).Fixed(h.author_device).U64(h.time_ms).U64(h.log_size);
  body.Fixed(h.log_root).Var32(payload);
  protocol::Writer w;
  w.Var32(body.bytes()).Fixed(key.Sign(protocol::labels::kRoster, body.bytes()));
  return w.Take();
}

base::Bytes SignRaw(const protocol::EntryHeader& h, base::ByteSpan payload,
                    const crypto::SigningKey& key) {
  protocol::Writer body;
  body.Raw("gw1/ve").U8(h.ver).U16(h.suite).Fixed(h.realm).Fixed(h.vault).U64(h.seq);
  body.Fixed(h.prev).U8(h.type).Fixed(h.author_member).Fixed(h.author_device);
  body.U64(h.roster_seq).Fixed(h.roster_head).Fixed(h.epoch_link).Fixed(h.pin_link);
  body.Var32(payload);
  protocol::Writer w;
  w.Var32(body.bytes()).Fixed(key.Sign(protocol::labels::kVault, body.bytes()));
  return w.Take();
}

protocol::Policy TestRealm::EvaluationPolicy() {
  protocol::Policy policy;
  policy.flags = protocol::Policy::kEvaluation;
  policy.owner_threshold = 1;
  policy.grant_threshold = 1;
  policy.identity_window_s = 0;
  policy.kdf_mem = std::uint64_t{64} << 20;
  return policy;
}

protocol::Policy TestRealm::ThresholdsOfTwo() {
  protocol::Policy policy = EvaluationPolicy();
  policy.owner_threshold = 2;
  policy.grant_threshold = 2;
  return policy;
}

TestRealm::TestRealm(protocol::Compartment compartment, const std::vector<Founder>& founders,
                     std::string_view name)
    : name_(name) {
  Begin(compartment, founders, EvaluationPolicy());
  for (Person& founder : people_) {
    if (!founder.devices.empty()) RotatePuk(founder);
  }
}

TestRealm::TestRealm(protocol::Compartment compartment, const std::vector<Founder>& founders,
                     const protocol::Policy& policy, std::string_view name)
    : name_(name) {
  Begin(compartment, founders, policy);
}

void TestRealm::Begin(protocol::Compartment compartment, const std::vector<Founder>& founders,
                      const protocol::Policy& policy) {
  root_ = Must(crypto::SigningKey::FromSeed(KeyOf(Fresh())));
  protocol::Genesis genesis;
  genesis.compartment = static_cast<std::uint8_t>(compartment);
  genesis.root_pk = root_->public_key();
  genesis.policy = policy;
  std::vector<const Device*> devices;
  for (const Founder& founder : founders) {
    const Person& person = Stranger(founder.devices);
    protocol::GenesisMember& row = genesis.members[person.id];
    row.roles = founder.roles;
    row.staff_commit = base::Sha256Hash(crypto::Sha256(Fresh()));
    for (const Device& device : person.devices) {
      row.devices.emplace_back(device.keys(), crypto::Signature());
      devices.push_back(&device);
    }
    std::ranges::sort(row.devices, {}, [](const auto& entry) { return Encoded(entry.first); });
  }
  protocol::SignPops(genesis, devices);
  Append(protocol::SignGenesis(genesis, 1, *root_));
}

base::Bytes TestRealm::Fresh() {
  protocol::Writer w;
  w.Str(name_).U64(drawn_++);
  const auto hash = crypto::Sha256(w.bytes());
  return base::ToBytes(hash);
}

Person& TestRealm::Stranger(std::size_t devices) {
  Person& person = people_.emplace_back();
  person.id = IdFrom<base::MemberId>(Fresh());
  for (std::size_t i = 0; i < devices; ++i) person.devices.push_back(NewDevice(person, *this));
  return person;
}

Person& TestRealm::Add(protocol::Roles roles) {
  Person& person = AddWithoutPuk(roles);
  RotatePuk(person);
  return person;
}

Person& TestRealm::AddWithoutPuk(protocol::Roles roles) {
  Person& person = Stranger();
  Append(SignByRoot(AddOf(person, roles)));
  return person;
}

protocol::MemberAdd TestRealm::AddOf(const Person& person, protocol::Roles roles) {
  protocol::MemberAdd add;
  add.member = person.id;
  add.roles = roles;
  add.staff_commit = base::Sha256Hash(crypto::Sha256(Fresh()));
  add.invite = IdFrom<base::InviteId>(Fresh());
  add.device = person.device().keys();
  Prove(add, person.device());
  return add;
}

void TestRealm::Prove(protocol::MemberAdd& add, const Device& device) const {
  add.pop = device.signing_key().Sign(protocol::labels::kRosterPop,
                                      protocol::PopMessage(roster_.realm(), add));
}

void TestRealm::Prove(protocol::DeviceAdd& add, const Device& device) const {
  add.pop = device.signing_key().Sign(protocol::labels::kRosterPop,
                                      protocol::PopMessage(roster_.realm(), add));
}

TestRealm::DeviceAddition TestRealm::DeviceAddOf(const Person& person, const Device& device) {
  DeviceAddition addition;
  protocol::DeviceAdd& add = addition.payload;
  add.member = person.id;
  add.device = device.keys();
  if (!person.puks.empty()) {
    add.puk_gen = static_cast<std::uint32_t>(person.puks.size());
    addition.box = Must(protocol::SealPuk(person.puks.back(), roster_.realm(), person.id,
                                          add.puk_gen, device.id(), device.keys().kems));
    add.box_hash = base::Sha256Hash(crypto::Sha256(addition.box));
  }
  Prove(add, device);
  return addition;
}

protocol::RecoverySet TestRealm::RecoverySetOf(std::uint8_t use, std::uint8_t k,
                                               const std::vector<const Person*>& trustees) {
  protocol::RecoverySet set;
  set.use = use;
  set.scheme = 1;
  set.gen = 1;
  for (const auto& recovery : roster_.recoveries()) set.gen += recovery.set.use == use;
  set.kems = {{protocol::kAlgX25519, Stranger().device().keys().kems.at(protocol::kAlgX25519)}};
  set.k = k;
  for (std::size_t i = 0; i < trustees.size(); ++i) {
    protocol::RecoveryShare& share = set.shares[static_cast<std::uint8_t>(i)];
    share.share_commit = base::Sha256Hash(crypto::Sha256(Fresh()));
    share.sealed_hash = base::Sha256Hash(crypto::Sha256(Fresh()));
  }
  Acknowledge(set, trustees);
  return set;
}

void TestRealm::Acknowledge(protocol::RecoverySet& set,
                            const std::vector<const Person*>& trustees) const {
  std::uint8_t index = 0;
  for (const Person* trustee : trustees) {
    protocol::RecoveryShare& share = set.shares[index];
    share.member = trustee->id;
    share.device = trustee->device().id();
    share.ack = trustee->device().signing_key().Sign(
        protocol::labels::kShareAck,
        protocol::ShareAckMessage(roster_.realm(), set, index, share.share_commit));
    ++index;
  }
}

protocol::RecoveryRequest TestRealm::RequestOf(std::uint8_t use, const Person& recipient,
                                               const std::set<base::VaultId>& vaults) {
  protocol::RecoveryRequest request;
  request.use = use;
  const auto* current = roster_.RecoveryAt(use, roster_.head_seq());
  request.rec_gen = current == nullptr ? 0 : current->set.gen;
  request.recipient_member = recipient.id;
  request.recipient_device = recipient.device().id();
  request.eph_kem_pk = Stranger().device().keys().kems.at(protocol::kAlgX25519);
  request.reason_hash = base::Sha256Hash(crypto::Sha256(Fresh()));
  request.vaults = vaults;
  SignFor(request, recipient);
  return request;
}

void TestRealm::SignFor(protocol::RecoveryRequest& request, const Person& recipient) const {
  request.sig = recipient.device().signing_key().Sign(
      protocol::labels::kRecoveryRequest,
      protocol::RecoveryRequestMessage(roster_.realm(), request));
}

protocol::RootRotate TestRealm::RootRotateTo(const crypto::SigningKey& key) const {
  protocol::RootRotate rotate{key.public_key(), {}};
  rotate.pop =
      key.Sign(protocol::labels::kRosterPop, protocol::PopMessage(roster_.realm(), rotate));
  return rotate;
}

TestRealm::Rotation TestRealm::RotationOf(const Person& person) {
  const base::Bytes bytes = Fresh();
  Rotation rotation{Must(protocol::Puk::Copy(std::span(bytes).first<32>())), {}, {}};
  protocol::PukRotate& payload = rotation.payload;
  payload.member = person.id;
  payload.gen = static_cast<std::uint32_t>(person.puks.size() + 1);
  payload.kems = {{protocol::kAlgX25519, Must(protocol::PukKem(rotation.puk)).public_key}};
  payload.prev_gen = payload.gen - 1;
  if (payload.prev_gen > 0) {
    payload.prev_wrap =
        Must(protocol::WrapPreviousPuk(rotation.puk, roster_.realm(), person.id, payload.gen,
                                       payload.prev_gen, person.puks.back()));
  }
  for (const auto& device : roster_.ActiveDevicesAt(person.id, roster_.head_seq())) {
    base::Bytes box = Must(protocol::SealPuk(rotation.puk, roster_.realm(), person.id, payload.gen,
                                             device, roster_.FindDevice(device)->keys.kems));
    payload.box_hashes[device] = base::Sha256Hash(crypto::Sha256(box));
    rotation.boxes[device] = std::move(box);
  }
  return rotation;
}

void TestRealm::RotatePuk(Person& person, std::size_t device) {
  Rotation rotation = RotationOf(person);
  Append(Sign(person, rotation.payload, device));
  puk_boxes_[{person.id, rotation.payload.gen}] = std::move(rotation.boxes);
  person.puks.push_back(std::move(rotation.puk));
}

void TestRealm::Revoke(const Person& person, std::size_t device, std::size_t by) {
  Append(Sign(person, protocol::DeviceRevoke{person.id, person.devices[device].id(), 1}, by));
}

void TestRealm::RevokeByRoot(const Person& person, std::size_t device) {
  Append(SignByRoot(protocol::DeviceRevoke{person.id, person.devices[device].id(), 1}));
}

void TestRealm::Remove(const Person& person) {
  Append(SignByRoot(protocol::MemberRemove{person.id, 1}));
}

void TestRealm::SetPolicy(const protocol::Policy& policy) {
  Append(Sign(people_.front(), protocol::PolicySet{policy}));
}

protocol::StatementHeader TestRealm::NextByRoot() const {
  protocol::StatementHeader header;
  header.realm = roster_.realm();
  header.seq = roster_.size();
  header.prev = roster_.head();
  header.time_ms = 1'000 * roster_.size();
  return header;
}

protocol::StatementHeader TestRealm::Next(const Person& author, std::size_t device) const {
  protocol::StatementHeader header = NextByRoot();
  header.author_member = author.id;
  header.author_device = author.devices[device].id();
  return header;
}

base::Bytes TestRealm::Sign(const Person& author, const protocol::StatementPayload& payload,
                            std::size_t device) const {
  return protocol::SignStatement(Next(author, device), payload,
                                 author.devices[device].signing_key());
}

base::Bytes TestRealm::SignByRoot(const protocol::StatementPayload& payload) const {
  return protocol::SignStatement(NextByRoot(), payload, *root_);
}

base::Link TestRealm::Append(const base::Bytes& statement) {
  Require(roster_.Append(statement));
  statements_.push_back(statement);
  return roster_.head();
}

void TestRealm::AppendApproved(const Person& author, const protocol::StatementPayload& payload,
                               const std::vector<const Person*>& approvers) {
  const base::Link link = Append(Sign(author, payload));
  for (const Person* approver : approvers)
    Append(Sign(*approver, protocol::Approve{link, protocol::kNoShare, {}}));
}

const std::map<base::DeviceId, base::Bytes>& TestRealm::PukBoxes(const base::MemberId& member,
                                                                 std::uint32_t gen) const {
  return puk_boxes_.at({member, gen});
}

TestVault::TestVault(TestRealm& realm, protocol::Kind kind, const Person& creator) : realm_(realm) {
  protocol::Create create;
  const base::Bytes nonce = realm_.Fresh();
  std::copy_n(nonce.begin(), create.nonce.size(), create.nonce.begin());
  create.kind = static_cast<std::uint8_t>(kind);
  Append(protocol::SignCreate(Next(creator), create, creator.device().signing_key()).entry);
}

TestVault::TestVault(TestRealm& realm, protocol::Kind kind, const Person& creator,
                     const Members& members)
    : TestVault(realm, kind, creator) {
  Rekey(creator, ListOf(members));
}

protocol::MemberList TestVault::ListOf(const Members& members) const {
  const protocol::Roster& roster = realm_.roster();
  protocol::MemberList list;
  for (const auto& [person, perm] : members) {
    const auto* puk =
        perm == protocol::kWrite ? nullptr : roster.UsablePukAt(person->id, roster.head_seq());
    list[person->id] = {perm, puk == nullptr ? 0 : puk->gen};
  }
  return list;
}

TestVault::Rekeying TestVault::RekeyingOf(const protocol::MemberList& list,
                                          const protocol::GuestList& guests) {
  const base::Bytes bytes = realm_.Fresh();
  protocol::Vek vek = Must(protocol::Vek::Copy(std::span(bytes).first<32>()));
  std::map<std::uint32_t, const protocol::Vek*> older;
  if (!veks_.empty()) older[static_cast<std::uint32_t>(veks_.size())] = &veks_.back();
  auto epoch = Must(protocol::MakeEpoch(vek, vault_.id(), vault_.epoch().number + 1, list, guests,
                                        realm_.roster(), realm_.roster().head_seq(), older));
  return {std::move(vek), std::move(epoch)};
}

void TestVault::Rekey(const Person& author, const protocol::MemberList& list,
                      const protocol::GuestList& guests) {
  Rekeying rekeying = RekeyingOf(list, guests);
  const base::Bytes entry = Sign(author, rekeying.epoch.payload);
  Take(entry, std::move(rekeying));
}

void TestVault::Take(const base::Bytes& entry, Rekeying rekeying) {
  Append(entry);
  veks_.push_back(std::move(rekeying.vek));
  epochs_.push_back(std::move(rekeying.epoch));
}

void TestVault::Refresh(const Person& author) {
  protocol::MemberList list = protocol::Want(vault_.epoch().list, vault_.kind(), realm_.roster(),
                                             realm_.roster().head_seq());
  std::erase_if(list, [](const auto& row) { return row.second.perm == protocol::kWrite; });
  Rekey(author, list, vault_.epoch().guests);
}

protocol::SealedRecord TestVault::Revision(const Person& author, const base::RecordId& record,
                                           std::string_view text, std::uint8_t flags) {
  protocol::RecordPlace place;
  place.realm = realm_.roster().realm();
  place.vault = vault_.id();
  place.record = record;
  const auto* last = vault_.FindRecord(record);
  place.rver = last == nullptr ? 1 : last->rver + 1;
  if (last != nullptr) place.rprev = last->link;
  place.epoch = vault_.epoch().number;
  place.author_member = author.id;
  place.author_device = author.device().id();
  const std::size_t floor = protocol::RecordFloor(realm_.roster().compartment(), vault_.kind(),
                                                  record == vault_.pinned_record());
  return Must(protocol::SealRecord(veks_.back(), place, base::AsBytes(text), floor, flags));
}

void TestVault::Write(const Person& author, const base::RecordId& record, std::string_view text,
                      std::uint8_t flags) {
  protocol::SealedRecord sealed = Revision(author, record, text, flags);
  Append(Sign(author, sealed.rev));
  beside_[vault_.head()] = std::move(sealed);
}

protocol::Tomb TestVault::TombOf(const base::RecordId& record) const {
  const auto* last = vault_.FindRecord(record);
  return {record, last->rver + 1, last->link, 1};
}

void TestVault::WriteTomb(const Person& author, const base::RecordId& record) {
  Append(Sign(author, TombOf(record)));
}

base::RecordId TestVault::NewRecord() { return IdFrom<base::RecordId>(realm_.Fresh()); }

protocol::EntryHeader TestVault::Next(const Person& author, std::size_t device) const {
  const protocol::Roster& roster = realm_.roster();
  protocol::EntryHeader header;
  header.realm = roster.realm();
  header.vault = vault_.id();
  header.seq = vault_.size();
  header.prev = vault_.head();
  header.author_member = author.id;
  header.author_device = author.devices[device].id();
  header.roster_seq = roster.head_seq();
  header.roster_head = roster.head();
  header.epoch_link = vault_.epoch().link;
  header.pin_link = vault_.pin_link();
  return header;
}

base::Bytes TestVault::Sign(const Person& author, const protocol::EntryPayload& payload) const {
  return protocol::SignEntry(Next(author), payload, author.device().signing_key());
}

void TestVault::Append(const base::Bytes& entry) {
  Require(vault_.Append(entry, realm_.roster()));
  entries_.push_back(entry);
}

protocol::ColdRow TestVault::Row() const {
  protocol::ColdRow row;
  row.create = entries_.front();
  row.head = entries_.back();
  for (const base::Bytes& bytes : entries_) {
    const auto entry = Must(protocol::ReadEntry(bytes));
    const auto payload = Must(protocol::ReadEntryPayload(entry.header.type, entry.payload));
    if (std::holds_alternative<protocol::Epoch>(payload)) row.epochs.push_back(bytes);
    const auto* rev = std::get_if<protocol::Rev>(&payload);
    if (rev != nullptr && rev->record == vault_.pinned_record()) row.pinned = bytes;
  }
  return row;
}

}  // namespace godwit::support
