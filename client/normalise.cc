#include "client/normalise.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <vector>

#include "base/bytes.h"

namespace godwit::client {
namespace {

// UTF-16 for the time of a call, wiped at the end. It never grows, so nothing is left behind.
class Units {
 public:
  explicit Units(std::size_t size) : units_(size) {}
  Units(const Units&) = delete;
  Units& operator=(const Units&) = delete;
  ~Units() {
    crypto::Wipe({reinterpret_cast<std::uint8_t*>(units_.data()), units_.size() * sizeof(UChar)});
  }

  UChar* data() { return units_.data(); }
  std::int32_t size() const { return static_cast<std::int32_t>(units_.size()); }

 private:
  std::vector<UChar> units_;
};

// ICU counts in 32 bits, and the buffers below are a few times as long as the text.
constexpr std::size_t kMaxTextSize = 64 << 20;

base::Error NotText() {
  return {base::Code::kInvalidArgument, "this text is not well-formed UTF-8"};
}

base::Error IcuFailed() { return {base::Code::kInternal, "ICU cannot normalise"}; }

// Normalises UTF-8 and calls `use(base::ByteSpan)` with the result while it
// lives.
template <class Use>
base::Status WithNfc(base::ByteSpan text, Use&& use) {
  if (text.size() > kMaxTextSize) return NotText();
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* const nfc = unorm2_getNFCInstance(&error);
  if (U_FAILURE(error)) return IcuFailed();

  // UTF-16 has at most one unit a byte of UTF-8; NFC makes at most three of one (UAX #15,
  // "Stability and expansion"), and UTF-8 at most three bytes of a unit.
  Units plain(text.size() + 1);
  std::int32_t plain_size = 0;
  u_strFromUTF8(plain.data(), plain.size(), &plain_size, reinterpret_cast<const char*>(text.data()),
                static_cast<std::int32_t>(text.size()), &error);
  if (U_FAILURE(error)) return NotText();

  Units normal(3 * static_cast<std::size_t>(plain_size) + 1);
  const std::int32_t normal_size =
      unorm2_normalize(nfc, plain.data(), plain_size, normal.data(), normal.size(), &error);
  if (U_FAILURE(error)) return IcuFailed();

  crypto::SecretBytes out(3 * static_cast<std::size_t>(normal_size) + 1);
  std::int32_t out_size = 0;
  u_strToUTF8(reinterpret_cast<char*>(out.Expose().data()), static_cast<std::int32_t>(out.size()),
              &out_size, normal.data(), normal_size, &error);
  if (U_FAILURE(error)) return IcuFailed();
  use(base::ByteSpan(out.Expose()).first(static_cast<std::size_t>(out_size)));
  return {};
}

}  // namespace

base::Result<std::string> Nfc(std::string_view text) {
  std::string out;
  const auto status =
      WithNfc(base::AsBytes(text), [&](base::ByteSpan bytes) { out = base::ToString(bytes); });
  if (!status) return status.error();
  return out;
}

std::string Folded(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(status);
  std::string folded;
  if (U_SUCCESS(status)) {
    icu::StringByteSink<std::string> sink(&folded);
    fold->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())),
                        sink, nullptr, status);
  }
  return U_SUCCESS(status) ? folded : std::string(text);
}

base::Result<crypto::SecretBytes> NormalisedPassphrase(crypto::SecretRef<> passphrase) {
  const base::ByteSpan typed = passphrase.Expose();
  if (typed.empty()) return base::Error(base::Code::kInvalidArgument, "the passphrase is empty");
  if (typed.size() > kMaxPassphraseSize) {
    return base::Error(base::Code::kInvalidArgument, "the passphrase is longer than 1024 bytes");
  }
  crypto::SecretBytes out;
  const auto status =
      WithNfc(typed, [&](base::ByteSpan bytes) { out = crypto::SecretBytes::Copy(bytes); });
  if (!status) return status.error();
  return out;
}

}  // namespace godwit::client
