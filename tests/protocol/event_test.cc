#include "protocol/event.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

template <class Id>
Id Filled(std::uint8_t byte) {
  return *Id::FromBytes(base::Bytes(Id::kSize, byte));
}

Event Erased() {
  return {.realm = Filled<base::RealmId>(0x0A),
          .n = 3,
          .time_ms = 0x0102030405060708,
          .kind = EventKind::kErased,
          .detail = base::ToBytes(Filled<base::VaultId>(0x0B).bytes())};
}

TEST(Event, IsWrittenAsItIsDrawnAndReadBack) {
  const base::Bytes bytes = WriteEvent(Erased());
  EXPECT_EQ(base::ToHex(bytes),
            "6777312f657601"
            "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"
            "00000000000000030102030405060708010010"
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  const auto read = ReadEvent(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, Erased());
  EXPECT_EQ(EventLink(bytes), base::Link(crypto::LabeledHash(labels::kLink, {bytes})));
}

TEST(Event, OtherBytesAreNone) {
  const base::Bytes good = WriteEvent(Erased());
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto read = ReadEvent(base::ByteSpan(good).first(size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code(), base::Code::kSig) << size;
  }
  const auto code_with = [&](std::size_t at, std::uint8_t byte) {
    base::Bytes bent = good;
    bent[at] = byte;
    const auto read = ReadEvent(bent);
    return read ? "OK" : base::Name(read.error().code());
  };
  EXPECT_EQ(code_with(0, 'x'), "E_SIG");
  EXPECT_EQ(code_with(6, 2), "E_UNSUPPORTED");
  EXPECT_EQ(code_with(39, 2), "E_UNSUPPORTED");
  base::Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(ReadEvent(longer).error().code(), base::Code::kSig);
  Event without = Erased();
  without.detail.pop_back();
  EXPECT_EQ(ReadEvent(WriteEvent(without)).error().code(), base::Code::kSig);
}

}  // namespace
}  // namespace godwit::protocol
