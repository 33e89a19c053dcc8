#include "protocol/statement.h"

#include <algorithm>

#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

constexpr std::string_view kTag = "gw1/st";
// Where the realm stands in a body: after the tag, ver and suite.
constexpr std::size_t kRealmOffset = kTag.size() + 1 + 2;

base::Error NoStatement() { return {base::Code::kSig, "these bytes are no statement of a roster"}; }

void WriteHeader(Writer& w, const StatementHeader& h) {
  w.Raw(kTag).U8(h.ver).U16(h.suite).Fixed(h.realm).U64(h.seq).Fixed(h.prev).U8(h.type);
  w.Fixed(h.author_member).Fixed(h.author_device);
  w.U64(h.time_ms).U64(h.log_size).Fixed(h.log_root);
}

void Write(Writer& w, const Genesis& p) {
  w.U8(p.compartment).Fixed(p.root_pk);
  Writer policy;
  WritePolicy(policy, p.policy);
  w.Var32(policy.bytes());
  w.U16(static_cast<std::uint16_t>(p.members.size()));
  for (const auto& [member, row] : p.members) {
    w.Fixed(member).U16(row.roles).Fixed(row.staff_commit);
    w.U16(static_cast<std::uint16_t>(row.devices.size()));
    for (const auto& [keys, pop] : row.devices) {
      WriteDeviceKeys(w, keys);
      w.Fixed(pop);
    }
  }
}

void Write(Writer& w, const MemberAdd& p) {
  w.Fixed(p.member).U16(p.roles).Fixed(p.staff_commit).U8(p.join).Fixed(p.invite);
  WriteDeviceKeys(w, p.device);
  w.Fixed(p.pop);
}

void Write(Writer& w, const DeviceAdd& p) {
  w.Fixed(p.member);
  WriteDeviceKeys(w, p.device);
  w.U32(p.puk_gen).Fixed(p.box_hash).Fixed(p.pop);
}

void Write(Writer& w, const DeviceRevoke& p) { w.Fixed(p.member).Fixed(p.device).U8(p.reason); }

void Write(Writer& w, const PukRotate& p) {
  w.Fixed(p.member).U32(p.gen);
  WriteKems(w, p.kems);
  w.U32(p.prev_gen).Raw(p.prev_wrap);
  w.U16(static_cast<std::uint16_t>(p.box_hashes.size()));
  for (const auto& [device, hash] : p.box_hashes) w.Fixed(device).Fixed(hash);
}

void Write(Writer& w, const MemberRemove& p) { w.Fixed(p.member).U8(p.reason); }

void Write(Writer& w, const RoleSet& p) { w.Fixed(p.member).U16(p.roles); }

void Write(Writer& w, const PolicySet& p) { WritePolicy(w, p.policy); }

void Write(Writer& w, const RecoverySet& p) {
  w.U8(p.use).U8(p.scheme).U32(p.gen);
  WriteKems(w, p.kems);
  w.U8(p.k).U8(p.rec_prev ? 1 : 0);
  if (p.rec_prev) w.Raw(*p.rec_prev);
  w.U16(static_cast<std::uint16_t>(p.shares.size()));
  for (const auto& [index, share] : p.shares) {
    w.U8(index).Fixed(share.member).Fixed(share.share_commit).Fixed(share.sealed_hash);
    w.Fixed(share.device).Fixed(share.ack);
  }
}

void Write(Writer& w, const RecoveryRequest& p) {
  w.U8(p.use).U32(p.rec_gen).Fixed(p.recipient_member).Fixed(p.recipient_device);
  w.Var16(p.eph_kem_pk).Fixed(p.reason_hash).U16(static_cast<std::uint16_t>(p.vaults.size()));
  for (const auto& vault : p.vaults) w.Fixed(vault);
  w.Fixed(p.sig);
}

void Write(Writer& w, const Approve& p) { w.Fixed(p.target).U8(p.index).Fixed(p.sealed_hash); }

void Write(Writer& w, const Close& p) { w.Fixed(p.target).U8(p.result); }

void Write(Writer& w, const RootRotate& p) { w.Fixed(p.new_root_pk).Fixed(p.pop); }

Genesis ReadGenesis(Reader& r) {
  Genesis p;
  p.compartment = r.U8();
  p.root_pk = r.Take<crypto::SigningPublicKey>();
  Reader policy(r.Var32());
  p.policy = ReadPolicy(policy);
  if (!policy.Done()) r.Fail();
  r.List([&](Reader& item) {
    const auto member = item.Take<base::MemberId>();
    item.KeyEnds();
    GenesisMember& row = p.members[member];
    row.roles = item.U16();
    row.staff_commit = item.Take<base::Sha256Hash>();
    item.List([&](Reader& device) {
      DeviceKeys keys = ReadDeviceKeys(device);
      device.KeyEnds();
      row.devices.emplace_back(std::move(keys), device.Take<crypto::Signature>());
    });
  });
  return p;
}

MemberAdd ReadMemberAdd(Reader& r) {
  MemberAdd p;
  p.member = r.Take<base::MemberId>();
  p.roles = r.U16();
  p.staff_commit = r.Take<base::Sha256Hash>();
  p.join = r.U8();
  p.invite = r.Take<base::InviteId>();
  p.device = ReadDeviceKeys(r);
  p.pop = r.Take<crypto::Signature>();
  return p;
}

DeviceAdd ReadDeviceAdd(Reader& r) {
  DeviceAdd p;
  p.member = r.Take<base::MemberId>();
  p.device = ReadDeviceKeys(r);
  p.puk_gen = r.U32();
  p.box_hash = r.Take<base::Sha256Hash>();
  p.pop = r.Take<crypto::Signature>();
  return p;
}

DeviceRevoke ReadDeviceRevoke(Reader& r) {
  DeviceRevoke p;
  p.member = r.Take<base::MemberId>();
  p.device = r.Take<base::DeviceId>();
  p.reason = r.U8();
  return p;
}

PukRotate ReadPukRotate(Reader& r) {
  PukRotate p;
  p.member = r.Take<base::MemberId>();
  p.gen = r.U32();
  p.kems = ReadKems(r);
  p.prev_gen = r.U32();
  if (p.prev_gen != 0) p.prev_wrap = base::ToBytes(r.Raw(kPukWrapSize));
  r.List([&](Reader& item) {
    const auto device = item.Take<base::DeviceId>();
    item.KeyEnds();
    p.box_hashes[device] = item.Take<base::Sha256Hash>();
  });
  return p;
}

MemberRemove ReadMemberRemove(Reader& r) {
  MemberRemove p;
  p.member = r.Take<base::MemberId>();
  p.reason = r.U8();
  return p;
}

RoleSet ReadRoleSet(Reader& r) {
  RoleSet p;
  p.member = r.Take<base::MemberId>();
  p.roles = r.U16();
  return p;
}

RecoverySet ReadRecoverySet(Reader& r) {
  RecoverySet p;
  p.use = r.U8();
  p.scheme = r.U8();
  p.gen = r.U32();
  p.kems = ReadKems(r);
  p.k = r.U8();
  if (r.Presence()) p.rec_prev = base::ToBytes(r.Raw(kRecoveryWrapSize));
  r.List([&](Reader& item) {
    const std::uint8_t index = item.U8();
    item.KeyEnds();
    RecoveryShare& share = p.shares[index];
    share.member = item.Take<base::MemberId>();
    share.share_commit = item.Take<base::Sha256Hash>();
    share.sealed_hash = item.Take<base::Sha256Hash>();
    share.device = item.Take<base::DeviceId>();
    share.ack = item.Take<crypto::Signature>();
  });
  return p;
}

RecoveryRequest ReadRecoveryRequest(Reader& r) {
  RecoveryRequest p;
  p.use = r.U8();
  p.rec_gen = r.U32();
  p.recipient_member = r.Take<base::MemberId>();
  p.recipient_device = r.Take<base::DeviceId>();
  p.eph_kem_pk = base::ToBytes(r.Var16());
  p.reason_hash = r.Take<base::Sha256Hash>();
  r.List([&](Reader& item) {
    p.vaults.insert(item.Take<base::VaultId>());
    item.KeyEnds();
  });
  p.sig = r.Take<crypto::Signature>();
  return p;
}

Approve ReadApprove(Reader& r) {
  Approve p;
  p.target = r.Take<base::Link>();
  p.index = r.U8();
  p.sealed_hash = r.Take<base::Sha256Hash>();
  return p;
}

Close ReadClose(Reader& r) {
  Close p;
  p.target = r.Take<base::Link>();
  p.result = r.U8();
  return p;
}

RootRotate ReadRootRotate(Reader& r) {
  RootRotate p;
  p.new_root_pk = r.Take<crypto::SigningPublicKey>();
  p.pop = r.Take<crypto::Signature>();
  return p;
}

}  // namespace

base::Result<RawStatement> ReadStatement(base::ByteSpan bytes) {
  RawStatement s;
  Reader outer(bytes);
  s.body = outer.Var32();
  s.signature = outer.Take<crypto::Signature>();
  if (!outer.Done()) return NoStatement();
  Reader r(s.body);
  const base::ByteSpan tag = r.Raw(kTag.size());
  if (!std::ranges::equal(tag, base::AsBytes(kTag))) return NoStatement();
  StatementHeader& h = s.header;
  h.ver = r.U8();
  if (!r.ok()) return NoStatement();
  if (h.ver != kVersion) {
    return base::Error(base::Code::kUnsupported,
                       "a statement of a later version of the protocol: update Godwit");
  }
  h.suite = r.U16();
  h.realm = r.Take<base::RealmId>();
  h.seq = r.U64();
  h.prev = r.Take<base::Link>();
  h.type = r.U8();
  h.author_member = r.Take<base::MemberId>();
  h.author_device = r.Take<base::DeviceId>();
  h.time_ms = r.U64();
  h.log_size = r.U64();
  h.log_root = r.Take<base::Sha256Hash>();
  s.payload = r.Var32();
  if (!r.Done()) return NoStatement();
  return s;
}

base::Link StatementLink(base::ByteSpan statement) {
  return base::Link(crypto::LabeledHash(labels::kLink, {statement}));
}

base::Result<StatementPayload> ReadStatementPayload(std::uint8_t type, base::ByteSpan payload) {
  Reader r(payload);
  StatementPayload p;
  if (type > kLastStatementType) {
    return base::Error(base::Code::kUnsupported,
                       "a statement of a type that this Godwit does not know: update it");
  }
  switch (StatementType{type}) {
    case StatementType::kGenesis:
      p = ReadGenesis(r);
      break;
    case StatementType::kMemberAdd:
      p = ReadMemberAdd(r);
      break;
    case StatementType::kDeviceAdd:
      p = ReadDeviceAdd(r);
      break;
    case StatementType::kDeviceRevoke:
      p = ReadDeviceRevoke(r);
      break;
    case StatementType::kPukRotate:
      p = ReadPukRotate(r);
      break;
    case StatementType::kMemberRemove:
      p = ReadMemberRemove(r);
      break;
    case StatementType::kRoleSet:
      p = ReadRoleSet(r);
      break;
    case StatementType::kPolicySet:
      p = PolicySet{ReadPolicy(r)};
      break;
    case StatementType::kRecoverySet:
      p = ReadRecoverySet(r);
      break;
    case StatementType::kRecoveryRequest:
      p = ReadRecoveryRequest(r);
      break;
    case StatementType::kApprove:
      p = ReadApprove(r);
      break;
    case StatementType::kClose:
      p = ReadClose(r);
      break;
    case StatementType::kRootRotate:
      p = ReadRootRotate(r);
      break;
  }
  if (!r.Done()) return NoStatement();
  return p;
}

base::Bytes WriteStatementPayload(const StatementPayload& payload) {
  Writer w;
  std::visit([&](const auto& p) { Write(w, p); }, payload);
  return w.Take();
}

std::uint8_t TypeOf(const StatementPayload& payload) {
  // The variant lists them in the order of their types.
  static_assert(std::variant_size_v<StatementPayload> == kLastStatementType + 1);
  return static_cast<std::uint8_t>(payload.index());
}

base::Bytes PopMessage(const base::RealmId& realm, StatementPayload payload) {
  if (auto* genesis = std::get_if<Genesis>(&payload)) {
    for (auto& [member, row] : genesis->members) {
      for (auto& [keys, pop] : row.devices) pop = {};
    }
  }
  if (auto* add = std::get_if<MemberAdd>(&payload)) add->pop = {};
  if (auto* add = std::get_if<DeviceAdd>(&payload)) {
    add->puk_gen = 0;
    add->box_hash = {};
    add->pop = {};
  }
  if (auto* rotate = std::get_if<RootRotate>(&payload)) rotate->pop = {};
  Writer w;
  w.Fixed(realm).U8(TypeOf(payload)).Raw(WriteStatementPayload(payload));
  return w.Take();
}

base::Bytes ShareAckMessage(const base::RealmId& realm, const RecoverySet& set, std::uint8_t index,
                            const base::Sha256Hash& share_commit) {
  Writer w;
  w.Fixed(realm).U8(set.use).U32(set.gen).U8(index).Fixed(share_commit);
  return w.Take();
}

base::Bytes RecoveryRequestMessage(const base::RealmId& realm, RecoveryRequest request) {
  request.sig = {};
  Writer w;
  w.Fixed(realm);
  Write(w, request);
  return w.Take();
}

base::Bytes SignStatement(StatementHeader header, const StatementPayload& payload,
                          const crypto::SigningKey& key) {
  header.type = TypeOf(payload);
  Writer body;
  WriteHeader(body, header);
  body.Var32(WriteStatementPayload(payload));
  Writer w;
  w.Var32(body.bytes()).Fixed(key.Sign(labels::kRoster, body.bytes()));
  return w.Take();
}

void SignPops(Genesis& genesis, const std::vector<const Device*>& devices) {
  const base::Bytes message = PopMessage({}, genesis);
  for (auto& [member, row] : genesis.members) {
    for (auto& [keys, pop] : row.devices) {
      const auto device = std::ranges::find_if(
          devices, [&](const Device* candidate) { return candidate->keys() == keys; });
      if (device == devices.end()) continue;
      pop = (*device)->signing_key().Sign(labels::kRosterPop, message);
    }
  }
}

base::Bytes SignGenesis(const Genesis& genesis, std::uint64_t time_ms,
                        const crypto::SigningKey& root) {
  StatementHeader header;
  header.time_ms = time_ms;
  header.realm = RealmOf(FingerprintOf(genesis, time_ms));
  return SignStatement(header, genesis, root);
}

base::Fingerprint FingerprintOf(const Genesis& genesis, std::uint64_t time_ms) {
  StatementHeader header;
  header.time_ms = time_ms;
  Writer body;
  WriteHeader(body, header);
  body.Var32(WriteStatementPayload(genesis));
  return FingerprintOf(body.bytes());
}

base::Fingerprint FingerprintOf(base::ByteSpan genesis_body) {
  base::Bytes body = base::ToBytes(genesis_body);
  if (body.size() >= kRealmOffset + base::RealmId::kSize) {
    std::fill_n(body.begin() + kRealmOffset, base::RealmId::kSize, std::uint8_t{0});
  }
  return base::Fingerprint(crypto::LabeledHash(labels::kRealm, {body}));
}

base::RealmId RealmOf(const base::Fingerprint& fingerprint) {
  return base::RealmId(fingerprint.bytes().first<16>());
}

}  // namespace godwit::protocol
