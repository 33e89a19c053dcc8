// Every format of the chains: one value has one encoding, and bytes are that encoding or nothing.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/sign.h"
#include "protocol/entry.h"
#include "protocol/labels.h"
#include "protocol/statement.h"
#include "tests/protocol/generators.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using base::ByteSpan;
using testing::Any;
using testing::AnyInt;

const crypto::SigningKey& Key() {
  static const auto key = *crypto::SigningKey::FromSeed(support::KeyOf(Bytes(32, 7)));
  return key;
}

StatementHeader AnyStatementHeader() {
  StatementHeader h;
  h.suite = AnyInt<std::uint16_t>();
  h.realm = Any<base::RealmId>();
  h.seq = AnyInt<std::uint64_t>();
  h.prev = Any<base::Link>();
  h.author_member = Any<base::MemberId>();
  h.author_device = Any<base::DeviceId>();
  h.time_ms = AnyInt<std::uint64_t>();
  h.log_size = AnyInt<std::uint64_t>();
  h.log_root = Any<base::Sha256Hash>();
  return h;
}

EntryHeader AnyEntryHeader() {
  EntryHeader h;
  h.suite = AnyInt<std::uint16_t>();
  h.realm = Any<base::RealmId>();
  h.vault = Any<base::VaultId>();
  h.seq = AnyInt<std::uint64_t>();
  h.prev = Any<base::Link>();
  h.author_member = Any<base::MemberId>();
  h.author_device = Any<base::DeviceId>();
  h.roster_seq = AnyInt<std::uint64_t>();
  h.roster_head = Any<base::Link>();
  h.epoch_link = Any<base::Link>();
  h.pin_link = Any<base::Link>();
  return h;
}

// The bytes that `raw`, read from a statement or entry, is written as again.
template <class Raw, class Payload>
Bytes Whole(const Raw& raw, const Payload& payload) {
  const auto& h = raw.header;
  Writer body;
  if constexpr (std::is_same_v<Raw, RawStatement>) {
    body.Raw("gw1/st").U8(h.ver).U16(h.suite).Fixed(h.realm).U64(h.seq).Fixed(h.prev).U8(h.type);
    body.Fixed(h.author_member).Fixed(h.author_device).U64(h.time_ms).U64(h.log_size);
    body.Fixed(h.log_root).Var32(WriteStatementPayload(payload));
  } else {
    body.Raw("gw1/ve").U8(h.ver).U16(h.suite).Fixed(h.realm).Fixed(h.vault).U64(h.seq);
    body.Fixed(h.prev).U8(h.type).Fixed(h.author_member).Fixed(h.author_device);
    body.U64(h.roster_seq).Fixed(h.roster_head).Fixed(h.epoch_link).Fixed(h.pin_link);
    body.Var32(WriteEntryPayload(payload));
  }
  Writer w;
  w.Var32(body.bytes()).Fixed(raw.signature);
  return w.Take();
}

RC_GTEST_PROP(PolicyCodec, ReadsWhatItWrites, ()) {
  Writer w;
  const Policy policy = testing::AnyPolicy();
  WritePolicy(w, policy);
  Reader r(w.bytes());
  const Policy read = ReadPolicy(r);
  RC_ASSERT(r.Done());
  Writer again;
  WritePolicy(again, read);
  RC_ASSERT(base::ToBytes(again.bytes()) == base::ToBytes(w.bytes()));
  RC_ASSERT(read.service_keys == policy.service_keys);
  RC_ASSERT(read.extensions == policy.extensions);
  RC_ASSERT(read.vaults == policy.vaults);
  RC_ASSERT(read.pins == policy.pins);
}

RC_GTEST_PROP(PolicyCodec, ChangedBytesAreAnotherPolicyOrNone, ()) {
  Writer w;
  WritePolicy(w, testing::AnyPolicy());
  const Bytes bytes = testing::Changed(w.Take());
  Reader r(bytes);
  const Policy read = ReadPolicy(r);
  if (!r.Done()) return;
  Writer again;
  WritePolicy(again, read);
  RC_ASSERT(base::ToBytes(again.bytes()) == bytes);
}

RC_GTEST_PROP(StatementCodec, ReadsWhatItWrites, ()) {
  const auto payload = testing::AnyStatementPayload();
  StatementHeader header = AnyStatementHeader();
  header.type = TypeOf(payload);
  const Bytes bytes = SignStatement(header, payload, Key());
  const auto raw = ReadStatement(bytes);
  RC_ASSERT(raw.ok());
  RC_ASSERT(crypto::Verify(Key().public_key(), labels::kRoster, raw->body, raw->signature));
  const StatementHeader& h = raw->header;
  RC_ASSERT(h.suite == header.suite);
  RC_ASSERT(h.realm == header.realm);
  RC_ASSERT(h.seq == header.seq);
  RC_ASSERT(h.prev == header.prev);
  RC_ASSERT(h.type == header.type);
  RC_ASSERT(h.author_member == header.author_member);
  RC_ASSERT(h.author_device == header.author_device);
  RC_ASSERT(h.time_ms == header.time_ms);
  RC_ASSERT(h.log_size == header.log_size);
  RC_ASSERT(h.log_root == header.log_root);
  const auto read = ReadStatementPayload(h.type, raw->payload);
  RC_ASSERT(read.ok());
  RC_ASSERT(TypeOf(*read) == TypeOf(payload));
  RC_ASSERT(WriteStatementPayload(*read) == base::ToBytes(raw->payload));
  RC_ASSERT(Whole(*raw, *read) == bytes);
}

RC_GTEST_PROP(StatementCodec, ChangedBytesAreAnotherStatementOrNone, ()) {
  const Bytes bytes =
      testing::Changed(SignStatement(AnyStatementHeader(), testing::AnyStatementPayload(), Key()));
  const auto raw = ReadStatement(bytes);
  if (!raw) {
    RC_ASSERT(raw.error().code() == base::Code::kSig ||
              raw.error().code() == base::Code::kUnsupported);
    return;
  }
  const auto payload = ReadStatementPayload(raw->header.type, raw->payload);
  if (payload) RC_ASSERT(Whole(*raw, *payload) == bytes);
}

RC_GTEST_PROP(StatementCodec, APayloadIsOfOneTypeWhateverItsBytes, ()) {
  const auto payload = testing::AnyStatementPayload();
  const Bytes bytes = testing::Changed(WriteStatementPayload(payload));
  for (std::uint8_t type = 0; type < 16; ++type) {
    const auto read = ReadStatementPayload(type, bytes);
    if (read) {
      RC_ASSERT(TypeOf(*read) == type);
      RC_ASSERT(WriteStatementPayload(*read) == bytes);
    }
  }
}

RC_GTEST_PROP(EntryCodec, ReadsWhatItWrites, ()) {
  const auto payload = testing::AnyEntryPayload();
  EntryHeader header = AnyEntryHeader();
  header.type = TypeOf(payload);
  const Bytes bytes = SignEntry(header, payload, Key());
  const auto raw = ReadEntry(bytes);
  RC_ASSERT(raw.ok());
  RC_ASSERT(crypto::Verify(Key().public_key(), labels::kVault, raw->body, raw->signature));
  const EntryHeader& h = raw->header;
  RC_ASSERT(h.suite == header.suite);
  RC_ASSERT(h.realm == header.realm);
  RC_ASSERT(h.vault == header.vault);
  RC_ASSERT(h.seq == header.seq);
  RC_ASSERT(h.prev == header.prev);
  RC_ASSERT(h.type == header.type);
  RC_ASSERT(h.author_member == header.author_member);
  RC_ASSERT(h.author_device == header.author_device);
  RC_ASSERT(h.roster_seq == header.roster_seq);
  RC_ASSERT(h.roster_head == header.roster_head);
  RC_ASSERT(h.epoch_link == header.epoch_link);
  RC_ASSERT(h.pin_link == header.pin_link);
  const auto read = ReadEntryPayload(h.type, raw->payload);
  RC_ASSERT(read.ok());
  RC_ASSERT(WriteEntryPayload(*read) == base::ToBytes(raw->payload));
  RC_ASSERT(Whole(*raw, *read) == bytes);
}

RC_GTEST_PROP(EntryCodec, ChangedBytesAreAnotherEntryOrNone, ()) {
  const Bytes bytes =
      testing::Changed(SignEntry(AnyEntryHeader(), testing::AnyEntryPayload(), Key()));
  const auto raw = ReadEntry(bytes);
  if (!raw) {
    RC_ASSERT(raw.error().code() == base::Code::kSig ||
              raw.error().code() == base::Code::kUnsupported);
    return;
  }
  const auto payload = ReadEntryPayload(raw->header.type, raw->payload);
  if (payload) RC_ASSERT(Whole(*raw, *payload) == bytes);
}

RC_GTEST_PROP(EntryCodec, APayloadIsOfOneTypeWhateverItsBytes, ()) {
  const Bytes bytes = testing::Changed(WriteEntryPayload(testing::AnyEntryPayload()));
  for (std::uint8_t type = 0; type < 10; ++type) {
    const auto read = ReadEntryPayload(type, bytes);
    if (read) {
      RC_ASSERT(TypeOf(*read) == type);
      RC_ASSERT(WriteEntryPayload(*read) == bytes);
    }
  }
}

RC_GTEST_PROP(KemsCodec, ChangedBytesAreOtherKeysOrNone, ()) {
  const Bytes bytes = testing::Changed(testing::Encoded(testing::AnyDeviceKeys()));
  Reader r(bytes);
  const DeviceKeys keys = ReadDeviceKeys(r);
  if (r.Done()) RC_ASSERT(testing::Encoded(keys) == bytes);
}

// Cut anywhere, or with a byte more, nothing decodes.
TEST(Codec, NoProperPartOfAnEncodingDecodes) {
  Genesis genesis;
  genesis.members[base::MemberId(std::array<std::uint8_t, 16>{1})] = {};
  PukRotate rotate;
  rotate.prev_gen = 1;
  rotate.prev_wrap = Bytes(kPukWrapSize);
  Epoch epoch;
  epoch.list[{}] = {};
  epoch.guests[{}] = {};
  epoch.wraps[1] = {};
  Rev rev;
  rev.attachments[{}] = {};
  for (const StatementPayload& payload : std::vector<StatementPayload>{
           genesis, MemberAdd(), DeviceRevoke(), rotate, MemberRemove(), PolicySet()}) {
    SCOPED_TRACE(static_cast<int>(TypeOf(payload)));
    Bytes bytes = WriteStatementPayload(payload);
    ASSERT_TRUE(ReadStatementPayload(TypeOf(payload), bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto read = ReadStatementPayload(TypeOf(payload), ByteSpan(bytes).first(size));
      ASSERT_FALSE(read) << size;
      EXPECT_EQ(read.error().code(), base::Code::kSig);
    }
    bytes.push_back(0);
    EXPECT_FALSE(ReadStatementPayload(TypeOf(payload), bytes));
  }
  for (const EntryPayload& payload : std::vector<EntryPayload>{Create(), epoch, rev, Tomb()}) {
    SCOPED_TRACE(static_cast<int>(TypeOf(payload)));
    Bytes bytes = WriteEntryPayload(payload);
    ASSERT_TRUE(ReadEntryPayload(TypeOf(payload), bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto read = ReadEntryPayload(TypeOf(payload), ByteSpan(bytes).first(size));
      ASSERT_FALSE(read) << size;
      EXPECT_EQ(read.error().code(), base::Code::kSig);
    }
    bytes.push_back(0);
    EXPECT_FALSE(ReadEntryPayload(TypeOf(payload), bytes));
  }
}

TEST(Codec, WholeStatementsAndEntriesCutAnywhereAreNone) {
  const Bytes statement = SignStatement({}, MemberRemove(), Key());
  const Bytes entry = SignEntry({}, Tomb(), Key());
  for (const Bytes* whole : {&statement, &entry}) {
    const auto code_of = [&](ByteSpan bytes) {
      if (whole == &statement) {
        const auto read = ReadStatement(bytes);
        return read ? base::Code::kInternal : read.error().code();
      }
      const auto read = ReadEntry(bytes);
      return read ? base::Code::kInternal : read.error().code();
    };
    EXPECT_EQ(code_of(*whole), base::Code::kInternal);
    for (std::size_t size = 0; size < whole->size(); ++size) {
      ASSERT_EQ(code_of(ByteSpan(*whole).first(size)), base::Code::kSig) << size;
    }
    Bytes longer = *whole;
    longer.push_back(0);
    EXPECT_EQ(code_of(longer), base::Code::kSig);
    // A body of the right length that is cut short inside.
    for (const std::size_t body :
         {std::size_t{0}, std::size_t{3}, std::size_t{6}, std::size_t{40}}) {
      Writer w;
      w.Var32(ByteSpan(*whole).subspan(4, body)).Raw(Bytes(64));
      EXPECT_EQ(code_of(w.bytes()), base::Code::kSig) << body;
    }
    // Another tag, another version.
    Bytes other = *whole;
    other[4] = 'G';
    EXPECT_EQ(code_of(other), base::Code::kSig);
    for (const std::uint8_t ver : Bytes{0, 2, 255}) {
      other = *whole;
      other[10] = ver;
      EXPECT_EQ(code_of(other), base::Code::kUnsupported);
    }
  }
}

TEST(Codec, TypesOfLaterVersionsAreUnsupported) {
  for (const std::uint8_t type : Bytes{13, 255}) {
    const auto read = ReadStatementPayload(type, Bytes(16));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), base::Code::kUnsupported) << int{type};
  }
  for (const std::uint8_t type : Bytes{0, 8, 255}) {
    const auto read = ReadEntryPayload(type, Bytes(16));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), base::Code::kUnsupported) << int{type};
  }
}

// Whoever may not have looked for the realm's or the vault's id in a body that is too short to hold
// one must get some id, not a crash.
TEST(Codec, IdsOfShortBodiesAreJustHashes) {
  for (std::size_t size = 0; size < 60; ++size) {
    EXPECT_FALSE(FingerprintOf(Bytes(size)).IsZero());
    EXPECT_FALSE(VaultIdOf(Bytes(size)).IsZero());
  }
}

}  // namespace
}  // namespace godwit::protocol
