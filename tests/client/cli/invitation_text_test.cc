#include "client/cli/invitation_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "base/bytes.h"

namespace godwit::cli {
namespace {

std::string TextOf(const base::Bytes& bytes) {
  return base::ToString(InvitationText(crypto::SecretBytes::Copy(bytes)).Expose());
}

base::Result<crypto::SecretBytes> Read(const std::string& line) {
  return ReadInvitationText(crypto::SecretBytes::Copy(base::AsBytes(line)));
}

// Crockford's digits for the bits of RFC 4648's test vectors, section 10: BASE32 maps digit by
// digit, and the filling "=" is left out.
TEST(InvitationText, WritesCrockfordsDigits) {
  const struct {
    const char* bytes;
    const char* want;
  } rows[] = {{"", ""},
              {"f", "cr"},
              {"fo", "csqg"},
              {"foo", "csqpy"},
              {"foob", "csqpyrg"},
              {"fooba", "csqpyrk1"},
              {"foobar", "csqpyrk1e8"}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.bytes);
    EXPECT_EQ(TextOf(base::ToBytes(base::AsBytes(row.bytes))),
              std::string("gw1-invite:") + row.want);
  }
}

RC_GTEST_PROP(InvitationText, ReadsWhatItWrote, (const base::Bytes& bytes)) {
  const auto read = Read("identity  " + TextOf(bytes) + " \r");
  RC_ASSERT(read.ok());
  RC_ASSERT(base::ToBytes(read->Expose()) == bytes);
}

TEST(InvitationText, SurvivesBeingRetyped) {
  const auto read = Read("For you: GW1-INVITE:CSQPYRKLE8 bye");
  ASSERT_TRUE(read);
  EXPECT_EQ(base::ToString(read->Expose()), "foobar");
}

TEST(InvitationText, RefusesWhatIsNone) {
  for (const char* line :
       {"", "hello", "gw1-invit:cr", "gw1-invite:c", "gw1-invite:cs", "gw1-invite:csq",
        "gw1-invite:cru", "gw1-invite:c!", "gw1-invite:crcr\u00e9"}) {
    SCOPED_TRACE(line);
    EXPECT_FALSE(Read(line));
  }
}

RC_GTEST_PROP(InvitationText, SurvivesAnyBytes, (const base::Bytes& bytes)) {
  (void)ReadInvitationText(crypto::SecretBytes::Copy(bytes));
  std::string line = "gw1-invite:" + base::ToString(bytes);
  (void)Read(line);
}

}  // namespace
}  // namespace godwit::cli
