#pragma once

#include <cstddef>
#include <string_view>

namespace godwit::crypto {

// What a label separates: a label is unique among those of its form (docs/protocol.md section 1).
enum class Form { kSign, kDerive, kHash, kCommitting, kBox, kSealed, kKeyCommitment };

// The name of one use of a key. Written as a literal, of 1 to 255 bytes; the registry of all is
// protocol/labels.h.
template <Form kForm>
class Label {
 public:
  template <std::size_t N>
  consteval explicit Label(const char (&text)[N]) : text_(text, N - 1) {
    static_assert(N > 1 && N <= 256);
  }
  // A sealed label stands for the box and the committing text that a Sealed is made of.
  template <Form kOther>
    requires(kOther == Form::kSealed && (kForm == Form::kBox || kForm == Form::kCommitting))
  constexpr explicit Label(const Label<kOther>& sealed) : text_(sealed.text()) {}
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

using SignLabel = Label<Form::kSign>;
using DeriveLabel = Label<Form::kDerive>;
using HashLabel = Label<Form::kHash>;
using CommittingLabel = Label<Form::kCommitting>;
using BoxLabel = Label<Form::kBox>;
using SealedLabel = Label<Form::kSealed>;  // counts as a box label and as a committing label
using KeyCommitmentLabel = Label<Form::kKeyCommitment>;

// The derivations that this folder makes itself.
inline constexpr DeriveLabel kDeriveCommitting{"ca"};
inline constexpr DeriveLabel kDeriveKeyCommitment{"kc"};
inline constexpr DeriveLabel kDeriveBoxEphemeral{"box-eph"};

}  // namespace godwit::crypto
