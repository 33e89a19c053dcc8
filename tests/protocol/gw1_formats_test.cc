// gw1/kat.json: known answers for the formats of docs/protocol.md from an implementation that
// shares no line with this one. What no code of ours writes yet (guests, recovery, attachments) is
// put together here from the primitives, as the text says. The primitives themselves are tested in
// tests/vectors.
#include <gtest/gtest.h>

#include <filesystem>
#include <string_view>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/padding.h"
#include "protocol/epoch_keys.h"
#include "protocol/labels.h"
#include "protocol/leaf.h"
#include "protocol/record.h"
#include "protocol/roster.h"
#include "protocol/vault.h"
#include "tests/support/keys.h"
#include "tests/vectors/vectors.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Hex;
using support::Json;
using support::KeyOf;

template <class Fixed>
Fixed Take(const Json& field) {
  const auto value = Fixed::FromBytes(Hex(field));
  EXPECT_TRUE(value) << field;
  return value.value_or(Fixed());
}
template <class Secret>
Secret TakeSecret(const Json& field) {
  const Bytes bytes = Hex(field);
  return *Secret::Copy(ByteSpan(bytes).first<32>());
}
template <class Fixed>
Bytes BytesOf(const Fixed& fixed) {
  return base::ToBytes(fixed.bytes());
}

class Gw1Formats : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = support::Vectors("gw1/kat.json");
    if (!file_) return;
    realm_ = Take<base::RealmId>((*file_)["genesis"]["realm"]);
    vault_ = Take<base::VaultId>((*file_)["vault"]["vault"]);
  }
  const Json& Part(const char* name) const { return (*file_)[name]; }
  // Counts a known answer that must be the same.
  void Same(const Bytes& made, const Json& field) {
    EXPECT_EQ(base::ToHex(made), field.get<std::string>());
    ++checked_;
  }
  void Holds(bool condition, const char* what) {
    EXPECT_TRUE(condition) << what;
    ++checked_;
  }
  void Report(std::size_t known) const {
    support::ReportCount(
        std::string("gw1 ") + ::testing::UnitTest::GetInstance()->current_test_info()->name(),
        checked_, known);
  }

  std::optional<Json> file_;
  base::RealmId realm_;
  base::VaultId vault_;
  std::size_t checked_ = 0;
};

TEST_F(Gw1Formats, DeviceComesFromItsSeed) {
  if (!file_) return;
  const Json& want = Part("device");
  const auto device = Device::FromSeed(TakeSecret<DeviceSeed>(want["seed"]));
  ASSERT_TRUE(device);
  Same(BytesOf(device->keys().sign_pk), want["sign_pk"]);
  Same(base::ToBytes(device->kem().private_key.Expose()), want["kem_sk"]);
  Same(device->kem().public_key, want["kem_pk"]);
  Writer w;
  WriteDeviceKeys(w, device->keys());
  Same(w.Take(), want["devkeys"]);
  Same(BytesOf(device->id()), want["device_id"]);
  Report(5);
}

TEST_F(Gw1Formats, PukAndItsBox) {
  if (!file_) return;
  const Json& want = Part("puk");
  const auto puk = TakeSecret<Puk>(want["puk"]);
  const auto device = *Device::FromSeed(TakeSecret<DeviceSeed>(Part("device")["seed"]));
  const auto member = Take<base::MemberId>(want["member"]);
  const auto gen = want["gen"].get<std::uint32_t>();
  Same(PukKem(puk)->public_key, want["kem_pk"]);
  Same(BytesOf(device.id()), want["device"]);
  Same(PukBoxContext(realm_, member, gen, device.id()), want["ctx"]);
  const auto box = SealPuk(puk, realm_, member, gen, device.id(), device.keys().kems);
  ASSERT_TRUE(box);
  Same(*box, want["box"]);
  const auto opened = OpenPuk(Hex(want["box"]), realm_, member, gen, device);
  ASSERT_TRUE(opened);
  Same(base::ToBytes(opened->Expose()), want["puk"]);
  Report(5);
}

TEST_F(Gw1Formats, GenesisAndItsNames) {
  if (!file_) return;
  const Json& want = Part("genesis");
  const Bytes statement = Hex(want["stmt"]);
  const auto raw = ReadStatement(statement);
  ASSERT_TRUE(raw);
  Same(BytesOf(FingerprintOf(raw->body)), want["F"]);
  Same(BytesOf(RealmOf(FingerprintOf(raw->body))), want["realm"]);
  Same(BytesOf(StatementLink(statement)), want["link"]);
  const auto payload = ReadStatementPayload(raw->header.type, raw->payload);
  ASSERT_TRUE(payload);
  Same(PopMessage({}, *payload), want["pop_message"]);
  Holds(WriteStatementPayload(*payload) == base::ToBytes(raw->payload), "payload written again");
  Roster roster;
  Holds(roster.Append(statement).ok(), "a roster begins with it");
  Holds(roster.fingerprint() == Take<base::Fingerprint>(want["F"]), "the roster's fingerprint");
  Report(7);
}

TEST_F(Gw1Formats, ProofOfPossessionOfAnAddedDevice) {
  if (!file_) return;
  const Json& want = Part("device_add_pop");
  const Bytes payload = Hex(want["payload"]);
  const auto key = *crypto::SigningPublicKey::FromBytes(ByteSpan(payload).subspan(16, 32));
  Holds(crypto::Verify(key, labels::kRosterPop, Hex(want["pop_message"]),
                       Take<crypto::Signature>(want["pop"])),
        "pop");
  // realm | u8 type | payload, its last 100 bytes (puk_gen, box_hash, pop) zero
  Bytes zeroed = payload;
  std::fill_n(zeroed.end() - 100, 100, std::uint8_t{0});
  Writer w;
  w.Fixed(realm_).U8(2).Raw(zeroed);
  Same(w.Take(), want["pop_message"]);
  Same(Bytes(payload.end() - 64, payload.end()), want["pop"]);
  Report(3);
}

TEST_F(Gw1Formats, VaultAndItsNames) {
  if (!file_) return;
  const Json& want = Part("vault");
  const Bytes create = Hex(want["create"]);
  const auto raw = ReadEntry(create);
  ASSERT_TRUE(raw);
  Same(BytesOf(VaultIdOf(raw->body)), want["vault"]);
  Same(BytesOf(raw->header.vault), want["vault"]);
  Same(BytesOf(EntryLink(create)), want["link"]);
  Same(BytesOf(PinnedRecordOf(vault_)), want["pinned"]);
  Same(BytesOf(VaultTag(realm_, vault_)), want["chain_tag"]);
  const auto payload = ReadEntryPayload(raw->header.type, raw->payload);
  ASSERT_TRUE(payload);
  Holds(WriteEntryPayload(*payload) == base::ToBytes(raw->payload), "payload written again");
  // The same entry made here.
  const auto device = *Device::FromSeed(TakeSecret<DeviceSeed>(Part("device")["seed"]));
  const auto made = SignCreate(raw->header, std::get<Create>(*payload), device.signing_key());
  Same(made.entry, want["create"]);
  Same(BytesOf(made.vault), want["vault"]);
  Report(8);
}

TEST_F(Gw1Formats, EpochItsCommitmentAndItsBox) {
  if (!file_) return;
  const Json& want = Part("epoch");
  const Bytes bytes = Hex(want["entry"]);
  const auto raw = ReadEntry(bytes);
  ASSERT_TRUE(raw);
  const auto payload = ReadEntryPayload(raw->header.type, raw->payload);
  ASSERT_TRUE(payload);
  Holds(WriteEntryPayload(*payload) == base::ToBytes(raw->payload), "payload written again");
  const auto& epoch = std::get<Epoch>(*payload);
  const auto vek = TakeSecret<Vek>(want["vek"]);
  const auto member = Take<base::MemberId>(want["member"]);
  const auto gen = want["puk_gen"].get<std::uint32_t>();
  Same(base::ToBytes(epoch.commitment), want["kc"]);
  Same(VekCommitmentContext(realm_, vault_, 1), want["kc_ctx"]);
  Same(base::ToBytes(crypto::KeyCommitment(vek, labels::kVekCommitment,
                                           VekCommitmentContext(realm_, vault_, 1))),
       want["kc"]);
  Same(VekBoxContext(realm_, vault_, 1, member, gen), want["box_ctx"]);
  const auto puk = TakeSecret<Puk>(Part("puk")["puk"]);
  const auto pair = PukKem(puk);
  ASSERT_TRUE(pair);
  const auto opened = OpenVek(epoch, realm_, vault_, member, *pair, Hex(want["box"]));
  ASSERT_TRUE(opened);
  Same(base::ToBytes(opened->Expose()), want["vek"]);
  const auto box = crypto::SealBox(crypto::DefaultHpke(), pair->public_key, labels::kVekBox,
                                   VekBoxContext(realm_, vault_, 1, member, gen), vek);
  ASSERT_TRUE(box);
  Same(*box, want["box"]);
  const auto device = *Device::FromSeed(TakeSecret<DeviceSeed>(Part("device")["seed"]));
  Same(SignEntry(raw->header, epoch, device.signing_key()), want["entry"]);
  Report(8);
}

TEST_F(Gw1Formats, WrapOfAnOlderKey) {
  if (!file_) return;
  const Json& want = Part("wrap");
  const auto vek = TakeSecret<Vek>(want["vek"]);
  const auto older = TakeSecret<Vek>(want["older_vek"]);
  const Bytes wrap = Hex(want["wrap"]);
  Bytes key(32);
  crypto::Derive(vek, labels::kPreviousKey, {}, key);
  Same(key, want["key"]);
  Same(VekPreviousContext(realm_, vault_, 2, 1), want["ctx"]);
  Epoch first;
  first.epoch = 1;
  first.commitment =
      crypto::KeyCommitment(older, labels::kVekCommitment, VekCommitmentContext(realm_, vault_, 1));
  Epoch second;
  second.epoch = 2;
  ASSERT_EQ(wrap.size(), kWrapSize);
  std::ranges::copy(wrap, second.wraps[1].begin());
  const auto opened = UnwrapVek(vek, second, first, realm_, vault_);
  ASSERT_TRUE(opened);
  Same(base::ToBytes(opened->Expose()), want["older_vek"]);
  const auto parts = crypto::internal::SealCommittingWithSalt(
      KeyOf(key), labels::kVekPrevious, VekPreviousContext(realm_, vault_, 2, 1), older.Expose(),
      ByteSpan(wrap).first<32>());
  Bytes made = base::ToBytes(parts.salt);
  base::Append(made, parts.commitment);
  base::Append(made, parts.ciphertext);
  Same(made, want["wrap"]);
  Report(4);
}

TEST_F(Gw1Formats, RecordsAndThePinnedOne) {
  if (!file_) return;
  for (const char* name : {"record", "pinned_record"}) {
    SCOPED_TRACE(name);
    const Json& want = Part(name);
    const auto vek = TakeSecret<Vek>(want["vek"]);
    // The place is what rctx says.
    const Bytes rctx = Hex(want["rctx"]);
    Reader r(rctx);
    r.Raw(7);
    EXPECT_EQ(r.U16(), kSuite1);
    RecordPlace place;
    place.realm = r.Take<base::RealmId>();
    place.vault = r.Take<base::VaultId>();
    place.record = r.Take<base::RecordId>();
    place.rver = r.U64();
    place.rprev = r.Take<base::Link>();
    place.epoch = r.U32();
    place.author_member = r.Take<base::MemberId>();
    place.author_device = r.Take<base::DeviceId>();
    ASSERT_TRUE(r.Done());
    Holds(place.vault == vault_, "vault");
    Same(RecordContext(place), want["rctx"]);
    if (std::string_view(name) == "pinned_record") {
      Holds(place.record == PinnedRecordOf(vault_), "the pinned record's id");
      Holds(want["floor"] == RecordFloor(Compartment::kCases, Kind::kCase, true), "floor");
    }
    const auto floor = want["floor"].get<std::size_t>();
    const Bytes salt = Hex(want["salt"]);
    const Bytes ct = Hex(want["ct"]);
    Rev rev;
    rev.salt_sha256 = base::Sha256Hash(crypto::Sha256(salt));
    const Bytes commitment = Hex(want["c"]);
    std::ranges::copy(commitment, rev.commitment.begin());
    rev.ct_len = static_cast<std::uint32_t>(ct.size());
    rev.ct_sha256 = base::Sha256Hash(crypto::Sha256(ct));
    const auto opened = OpenRecord(vek, place, rev, salt, ct, floor);
    ASSERT_TRUE(opened);
    Same(base::ToBytes(opened->Expose()), want["protobuf"]);
    const auto padded = crypto::Pad(Hex(want["protobuf"]), floor);
    const auto parts = crypto::internal::SealCommittingWithSalt(
        vek, labels::kRecord, rctx, padded.Expose(), ByteSpan(salt).first<32>());
    Same(base::ToBytes(parts.commitment), want["c"]);
    Same(parts.ciphertext, want["ct"]);
  }
  Report(12);
}

TEST_F(Gw1Formats, DerivedIds) {
  if (!file_) return;
  for (const char* name : {"derived_id", "derived_id_import"}) {
    SCOPED_TRACE(name);
    const Json& want = Part(name);
    const auto vek = TakeSecret<Vek>(want["vek"]);
    const auto vault = Take<base::VaultId>(want["vault"]);
    const auto machine = want["machine"].get<std::uint8_t>();
    const Bytes object = Hex(want["object"]);
    const Bytes cause = Hex(want["cause"]);
    Same(BytesOf(DerivedRecordId(vek, vault, machine, ByteSpan(object).first<16>(),
                                 ByteSpan(cause).first<32>())),
         want["id"]);
    Writer w;
    w.Fixed(vault).U8(machine).Raw(object).Raw(cause);
    Bytes full(32);
    crypto::Derive(vek, labels::kSystemRecord, w.bytes(), full);
    Same(full, want["full"]);
  }
  EXPECT_EQ(Part("derived_id_import")["machine"], kMachineImport);
  Report(4);
}

TEST_F(Gw1Formats, PoliciesDecodeToWhatTheyWereMadeFrom) {
  if (!file_) return;
  for (const char* name : {"plain", "bytes"}) {
    SCOPED_TRACE(name);
    const Bytes bytes = Hex(Part("policy")[name]);
    Reader r(bytes);
    const Policy policy = ReadPolicy(r);
    ASSERT_TRUE(r.Done());
    Writer w;
    WritePolicy(w, policy);
    Same(w.Take(), Part("policy")[name]);
    Holds(CheckPolicy(policy).ok(), "allowed");
    EXPECT_TRUE(policy.evaluation());
    EXPECT_EQ(policy.owner_threshold, 1);
    EXPECT_EQ(policy.grant_threshold, 1);
    EXPECT_EQ(policy.kdf_ops, 3U);
    EXPECT_EQ(policy.kdf_mem, std::uint64_t{256} << 20);
    EXPECT_EQ(policy.fresh_s, 86'400U);
    EXPECT_EQ(policy.hold_s, 43'200U);
    EXPECT_EQ(policy.peers.size(), name == std::string_view("bytes") ? 1U : 0U);
    EXPECT_EQ(policy.extensions.size(), policy.peers.size());
  }
  Report(4);
}

TEST_F(Gw1Formats, BoxOfAGuest) {
  if (!file_) return;
  const Json& want = Part("box_guest");
  const Bytes devkeys = Hex(want["devkeys"]);
  Reader r(devkeys);
  const DeviceKeys keys = ReadDeviceKeys(r);
  ASSERT_TRUE(r.Done());
  Same(BytesOf(DeviceIdOf(keys)), want["guest"]);
  const Bytes context = VekGuestBoxContext(realm_, vault_, want["epoch"].get<std::uint32_t>(),
                                           base::GuestId(DeviceIdOf(keys).bytes()));
  Same(context, want["ctx"]);
  const auto pair = crypto::X25519Kem().FromPrivateKey(KeyOf(Hex(want["kem_sk"])));
  ASSERT_TRUE(pair);
  Holds(pair->public_key == keys.kems.at(kAlgX25519), "the guest's pair");
  const auto box = crypto::SealBox(crypto::DefaultHpke(), pair->public_key, labels::kVekGuestBox,
                                   context, TakeSecret<Vek>(want["vek"]));
  ASSERT_TRUE(box);
  Same(*box, want["box"]);
  Report(4);
}

TEST_F(Gw1Formats, BoxOfTheRecoveryKey) {
  if (!file_) return;
  const Json& want = Part("vek_rec");
  Bytes seed(32);
  crypto::Derive(KeyOf(Hex(want["secret"])), labels::kRecoveryKem, {}, seed);
  const auto pair = crypto::X25519Kem().DeriveKeyPair(KeyOf(seed));
  ASSERT_TRUE(pair);
  Same(base::ToBytes(pair->private_key.Expose()), want["kem_sk"]);
  Same(pair->public_key, want["kem_pk"]);
  const Bytes context =
      VekRecoveryBoxContext(realm_, vault_, want["epoch"].get<std::uint32_t>(),
                            want["use"].get<std::uint8_t>(), want["rec_gen"].get<std::uint32_t>());
  Same(context, want["ctx"]);
  const auto box = crypto::SealBox(crypto::DefaultHpke(), pair->public_key, labels::kVekRecoveryBox,
                                   context, TakeSecret<Vek>(want["vek"]));
  ASSERT_TRUE(box);
  Same(*box, want["box"]);
  Report(4);
}

TEST_F(Gw1Formats, RecoveryShareItsCommitmentAndItsSeal) {
  if (!file_) return;
  const Json& want = Part("share");
  Writer name;
  name.Fixed(realm_).U8(want["use"].get<std::uint8_t>()).U32(want["gen"].get<std::uint32_t>());
  name.U8(want["index"].get<std::uint8_t>());
  const Bytes share = Hex(want["share"]);
  EXPECT_EQ(share.size(), 33U * 2);
  Same(base::ToBytes(crypto::LabeledHash(labels::kShare, {name.bytes(), share})),
       want["share_commit"]);
  Writer message;
  message.Raw(name.bytes()).Raw(Hex(want["share_commit"]));
  Same(base::ToBytes(message.bytes()), want["ack_message"]);
  const auto device = *Device::FromSeed(TakeSecret<DeviceSeed>(Part("device")["seed"]));
  Same(BytesOf(device.signing_key().Sign(labels::kShareAck, message.bytes())), want["ack"]);
  // s, realm, use, gen, index, request link or zero
  Writer context;
  context.U16(kSuite1).Raw(name.bytes()).Fixed(base::Link());
  Same(base::ToBytes(context.bytes()), want["ctx"]);
  const Bytes salt = Hex(want["salt"]);
  const auto sealed = crypto::internal::SealToWith(
      crypto::DefaultHpke(), Hex(want["pk"]), labels::kShareSealed, context.bytes(), share,
      KeyOf(Hex(want["k"])), ByteSpan(salt).first<32>());
  ASSERT_TRUE(sealed);
  Same(*sealed, want["sealed"]);
  const auto opened = crypto::OpenSealed(crypto::DefaultHpke(), device.kem(), labels::kShareSealed,
                                         context.bytes(), Hex(want["sealed"]));
  ASSERT_TRUE(opened);
  Same(base::ToBytes(opened->Expose()), want["share"]);
  Report(6);
}

TEST_F(Gw1Formats, OlderRecoverySecret) {
  if (!file_) return;
  const Json& want = Part("rec_prev");
  Bytes key(32);
  crypto::Derive(KeyOf(Hex(want["secret"])), labels::kRecoveryPrevious, {}, key);
  Same(key, want["key"]);
  Writer context;
  context.U16(kSuite1).Fixed(realm_).U8(want["use"].get<std::uint8_t>());
  context.U32(want["gen"].get<std::uint32_t>()).U32(want["prev_gen"].get<std::uint32_t>());
  Same(base::ToBytes(context.bytes()), want["ctx"]);
  const auto opened = crypto::OpenCommitting(KeyOf(key), labels::kRecoveryPreviousSecret,
                                             context.bytes(), Hex(want["rec_prev"]));
  ASSERT_TRUE(opened);
  Same(base::ToBytes(opened->Expose()), want["older_secret"]);
  Report(3);
}

TEST_F(Gw1Formats, SignatureOfARecoveryRequest) {
  if (!file_) return;
  const Json& want = Part("rec_request");
  const Bytes payload = Hex(want["payload"]);
  Bytes zeroed = payload;
  std::fill_n(zeroed.end() - 64, 64, std::uint8_t{0});
  Writer message;
  message.Fixed(realm_).Raw(zeroed);
  Same(base::ToBytes(message.bytes()), want["message"]);
  const auto device = *Device::FromSeed(TakeSecret<DeviceSeed>(Part("device")["seed"]));
  Same(BytesOf(device.keys().sign_pk), want["pk"]);
  Same(BytesOf(device.signing_key().Sign(labels::kRecoveryRequest, message.bytes())), want["sig"]);
  Same(Bytes(payload.end() - 64, payload.end()), want["sig"]);
  Report(4);
}

TEST_F(Gw1Formats, KeysOfAnAttachment) {
  if (!file_) return;
  const Json& want = Part("attachment");
  Holds(crypto::PaddedSize(want["length"].get<std::size_t>(), 0) == want["padded"], "padded");
  Writer context;
  context.Raw("gw1/att").U16(kSuite1).Fixed(realm_).Fixed(vault_).Raw(Hex(want["att_id"]));
  context.U64(want["padded"].get<std::uint64_t>());
  Same(base::ToBytes(context.bytes()), want["context"]);
  Writer info;
  info.Raw("c2sp.org/chunked-encryption@v1+AEAD_CHACHA20_POLY1305").U8(0);
  info.Raw(Hex(want["salt24"])).Raw(context.bytes());
  Bytes out(32 + 12 + 32);
  ASSERT_TRUE(crypto::HkdfExpandSha512(KeyOf(Hex(want["att_key"])), info.bytes(), out));
  Same(Bytes(out.begin(), out.begin() + 32), want["key"]);
  Same(Bytes(out.begin() + 32, out.begin() + 44), want["base_nonce"]);
  Same(Bytes(out.begin() + 44, out.end()), want["commitment"]);
  Report(5);
}

// Every payload of every chain that this build reads is written as the other implementation wrote
// it.
TEST_F(Gw1Formats, PayloadsOfAllChainsAreWrittenAgain) {
  if (!file_) return;
  std::size_t statements = 0;
  std::size_t entries = 0;
  const auto folder = *support::SharedFolder() / "vectors" / "gw1";
  for (const auto& path : std::filesystem::directory_iterator(folder)) {
    if (path.path().extension() != ".json" || path.path().stem() == "kat") continue;
    SCOPED_TRACE(path.path().stem().string());
    const Json test = Json::parse(std::ifstream(path.path()));
    for (const auto& hex : test["roster"]) {
      const Bytes bytes = Hex(hex);
      const auto raw = ReadStatement(bytes);
      if (!raw) continue;
      const auto payload = ReadStatementPayload(raw->header.type, raw->payload);
      if (!payload) continue;
      EXPECT_EQ(WriteStatementPayload(*payload), base::ToBytes(raw->payload));
      ++statements;
    }
    if (test["vault"].is_null()) continue;
    for (const auto& hex : test["vault"]) {
      const Bytes bytes = Hex(hex);
      const auto raw = ReadEntry(bytes);
      if (!raw) continue;
      const auto payload = ReadEntryPayload(raw->header.type, raw->payload);
      if (!payload) continue;
      EXPECT_EQ(WriteEntryPayload(*payload), base::ToBytes(raw->payload));
      ++entries;
    }
  }
  std::cout << "gw1 payloads: " << statements << " of statements, " << entries << " of entries\n";
  EXPECT_GT(statements, 1000U);
  EXPECT_GT(entries, 500U);
}

}  // namespace
}  // namespace godwit::protocol
