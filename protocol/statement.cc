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

void Write(Writer& w, const DeviceRevoke& p) { w.Fixed(p.member).Fixed(p.device).U8(p.reason); }

void Write(Writer& w, const PukRotate& p) {
  w.Fixed(p.member).U32(p.gen);
  WriteKems(w, p.kems);
  w.U32(p.prev_gen).Raw(p.prev_wrap);
  w.U16(static_cast<std::uint16_t>(p.box_hashes.size()));
  for (const auto& [device, hash] : p.box_hashes) w.Fixed(device).Fixed(hash);
}

void Write(Writer& w, const MemberRemove& p) { w.Fixed(p.member).U8(p.reason); }

void Write(Writer& w, const PolicySet& p) { WritePolicy(w, p.policy); }

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

}  // namespace

base::Result<RawStatement> ReadStatement(base::ByteSpan bytes) {
  RawStatement s;
  Reader outer(bytes);
  s.body = outer.Var32();
  s.signature = outer.Take<crypto::Signature>();
  if (!outer.Done()) return NoStatement();
  Reader r(s.body);
  const base::ByteSpan tag = r.Raw(kTag.size());
  if (!r.ok() || !std::ranges::equal(tag, base::AsBytes(kTag))) return NoStatement();
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
  switch (type) {
    case static_cast<std::uint8_t>(StatementType::kGenesis):
      p = ReadGenesis(r);
      break;
    case static_cast<std::uint8_t>(StatementType::kMemberAdd):
      p = ReadMemberAdd(r);
      break;
    case static_cast<std::uint8_t>(StatementType::kDeviceRevoke):
      p = ReadDeviceRevoke(r);
      break;
    case static_cast<std::uint8_t>(StatementType::kPukRotate):
      p = ReadPukRotate(r);
      break;
    case static_cast<std::uint8_t>(StatementType::kMemberRemove):
      p = ReadMemberRemove(r);
      break;
    case static_cast<std::uint8_t>(StatementType::kPolicySet):
      p = PolicySet{ReadPolicy(r)};
      break;
    default:
      return base::Error(base::Code::kUnsupported,
                         "a statement of a type that this Godwit does not know: update it");
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
  struct Visitor {
    StatementType operator()(const Genesis&) { return StatementType::kGenesis; }
    StatementType operator()(const MemberAdd&) { return StatementType::kMemberAdd; }
    StatementType operator()(const DeviceRevoke&) { return StatementType::kDeviceRevoke; }
    StatementType operator()(const PukRotate&) { return StatementType::kPukRotate; }
    StatementType operator()(const MemberRemove&) { return StatementType::kMemberRemove; }
    StatementType operator()(const PolicySet&) { return StatementType::kPolicySet; }
  };
  return static_cast<std::uint8_t>(std::visit(Visitor{}, payload));
}

base::Bytes PopMessage(const base::RealmId& realm, StatementPayload payload) {
  if (auto* genesis = std::get_if<Genesis>(&payload)) {
    for (auto& [member, row] : genesis->members) {
      for (auto& [keys, pop] : row.devices) pop = {};
    }
  }
  if (auto* add = std::get_if<MemberAdd>(&payload)) add->pop = {};
  Writer w;
  w.Fixed(realm).U8(TypeOf(payload)).Raw(WriteStatementPayload(payload));
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

base::Result<SignedGenesis> SignGenesis(Genesis genesis, std::uint64_t time_ms,
                                        const crypto::SigningKey& root,
                                        const std::vector<const Device*>& devices) {
  const base::Bytes message = PopMessage({}, genesis);
  for (auto& [member, row] : genesis.members) {
    for (auto& [keys, pop] : row.devices) {
      const auto device = std::ranges::find_if(
          devices, [&](const Device* candidate) { return candidate->keys() == keys; });
      if (device == devices.end()) {
        return base::Error(base::Code::kInvalidArgument, "a founder's device is not at hand");
      }
      pop = (*device)->signing_key().Sign(labels::kRosterPop, message);
    }
  }
  StatementHeader header;
  header.time_ms = time_ms;
  Writer body;
  WriteHeader(body, header);
  body.Var32(WriteStatementPayload(genesis));
  SignedGenesis out;
  out.fingerprint = FingerprintOf(body.bytes());
  header.realm = RealmOf(out.fingerprint);
  out.statement = SignStatement(header, genesis, root);
  return out;
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
