// HPKE base mode: the appendix of RFC 9180, circl's file of the same suite, and Wycheproof's cases
// with AES-128-GCM. Psk and auth modes are not ours: they are counted and left.

#include "crypto/hpke.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/support/aes_gcm.h"
#include "tests/support/keys.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using support::Hex;
using support::Json;
using support::KeyOf;
using support::Plain;
using support::ReportCount;

// What the export-only id of RFC 9180 section 7.3 stands for: a cipher without keys.
class ExportOnly final : public Aead {
 public:
  std::uint16_t hpke_id() const override { return 0xffff; }
  std::size_t key_size() const override { return 0; }
  std::size_t nonce_size() const override { return 0; }
  Bytes Seal(SecretRef<>, base::ByteSpan, base::ByteSpan, base::ByteSpan) const override {
    ADD_FAILURE() << "export only";
    return {};
  }
  base::Result<SecretBytes> Open(SecretRef<>, base::ByteSpan, base::ByteSpan,
                                 base::ByteSpan) const override {
    ADD_FAILURE() << "export only";
    return base::Error(base::Code::kInternal, "export only");
  }
};

struct Message {
  std::uint64_t sequence;
  Bytes ad;
  Bytes text;
  Bytes sealed;
};

struct Export {
  Bytes context;
  std::size_t size;
  Bytes value;
};

// One base-mode entry.
struct Entry {
  std::uint16_t aead_id;
  Bytes info, ikm_e, ikm_r, sk_r, pk_r, enc, shared_secret;
  std::vector<Message> messages;  // ascending by sequence
  std::vector<Export> exports;
};

void RunEntry(const Entry& entry) {
  const ExportOnly export_only;
  ASSERT_TRUE(entry.aead_id == 0x0003 || entry.aead_id == 0xffff);
  const HpkeSuite suite{X25519Kem(), entry.aead_id == 0xffff ? static_cast<const Aead&>(export_only)
                                                             : ChaCha20Poly1305()};

  const auto pair = suite.kem.DeriveKeyPair(KeyOf(entry.ikm_r));
  ASSERT_TRUE(pair);
  EXPECT_EQ(base::ToBytes(pair->private_key.Expose()), entry.sk_r);
  EXPECT_EQ(pair->public_key, entry.pk_r);

  const auto seed = KeyOf(entry.ikm_e);
  const auto encapsulated = suite.kem.EncapsulateDerand(entry.pk_r, seed);
  ASSERT_TRUE(encapsulated);
  EXPECT_EQ(encapsulated->encapsulation, entry.enc);
  EXPECT_EQ(Plain(encapsulated->shared_secret), entry.shared_secret);
  const auto decapsulated = suite.kem.Decapsulate(*pair, entry.enc);
  ASSERT_TRUE(decapsulated);
  EXPECT_EQ(Plain(*decapsulated), entry.shared_secret);

  auto sender = SetupHpkeSender(suite, entry.pk_r, entry.info, seed);
  auto receiver = SetupHpkeReceiver(suite, *pair, entry.info, entry.enc);
  ASSERT_TRUE(sender && receiver);
  EXPECT_EQ(sender->encapsulation, entry.enc);

  std::uint64_t sequence = 0;
  for (const auto& message : entry.messages) {
    // The file lists some of a long sequence: what lies between is sealed and opened all the same.
    for (; sequence < message.sequence; ++sequence) {
      const auto between = sender->context.Seal({}, Bytes{1});
      ASSERT_TRUE(between && receiver->Open({}, *between));
    }
    const auto sealed = sender->context.Seal(message.ad, message.text);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(*sealed, message.sealed) << sequence;
    const auto opened = receiver->Open(message.ad, message.sealed);
    ASSERT_TRUE(opened) << sequence;
    EXPECT_EQ(Plain(*opened), message.text);
    ++sequence;
  }
  for (const auto& exported : entry.exports) {
    const auto sent = sender->context.Export(exported.context, exported.size);
    const auto received = receiver->Export(exported.context, exported.size);
    ASSERT_TRUE(sent && received);
    EXPECT_EQ(Plain(*sent), exported.value);
    EXPECT_EQ(Plain(*received), exported.value);
  }
}

TEST(Vectors, HpkeOfCircl) {
  const auto file = support::Vectors("rfc9180-hpke/circl_x25519_sha256_chacha.json");
  if (!file) return;
  std::size_t ran = 0;
  std::size_t messages = 0;
  std::size_t exports = 0;
  std::size_t not_ours = 0;
  for (const auto& test : *file) {
    SCOPED_TRACE("mode " + test["mode"].dump() + " aead " + test["aead_id"].dump());
    if (test["mode"] != 0) {
      ++not_ours;
      continue;
    }
    Entry entry{test["aead_id"].get<std::uint16_t>(),
                Hex(test["info"]),
                Hex(test["ikmE"]),
                Hex(test["ikmR"]),
                Hex(test["skRm"]),
                Hex(test["pkRm"]),
                Hex(test["enc"]),
                Hex(test["shared_secret"]),
                {},
                {}};
    for (const auto& message : test["encryptions"]) {
      entry.messages.push_back({entry.messages.size(), Hex(message["aad"]),
                                Hex(message["plaintext"]), Hex(message["ciphertext"])});
    }
    for (const auto& exported : test["exports"]) {
      entry.exports.push_back({Hex(exported["exporter_context"]), exported["L"].get<std::size_t>(),
                               Hex(exported["exported_value"])});
    }
    RunEntry(entry);
    ++ran;
    messages += entry.messages.size();
    exports += entry.exports.size();
  }
  ReportCount("circl hpke, base mode", ran, 2);
  ReportCount("circl hpke, messages", messages, 40);
  ReportCount("circl hpke, exports", exports, 6);
  ReportCount("circl hpke, psk and auth modes, not ours", not_ours, 6);
}

// A block between ~~~ lines: "name: hex" with the value on the same line, the next, or several.
using Fields = std::map<std::string, std::string>;

struct Section {
  std::vector<Fields> setup, messages, exports;
};

// Splits the appendix into one section a mode, each with a setup, its messages and its exports.
std::vector<Section> Parse(std::istream& file) {
  std::vector<Section> sections;
  std::vector<Fields>* target = nullptr;
  bool inside = false;
  bool fresh = true;
  std::string name;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("### ")) {
      sections.emplace_back();
      target = &sections.back().setup;
    } else if (line.starts_with("#### Encryptions")) {
      target = &sections.back().messages;
    } else if (line.starts_with("#### Exported")) {
      target = &sections.back().exports;
    } else if (line == "~~~") {
      inside = !inside;
      fresh = true;
    } else if (inside && line.empty()) {
      fresh = true;
    } else if (inside && target != nullptr) {
      if (fresh) target->emplace_back();
      fresh = false;
      std::string value = line;
      if (const auto colon = line.find(':'); colon != std::string::npos) {
        name = line.substr(0, colon);
        value = line.substr(colon + 1);
        std::erase(value, ' ');
        target->back()[name] = value;
      } else {
        target->back()[name] += value;
      }
    }
  }
  return sections;
}

Bytes Field(const Fields& fields, const std::string& name) {
  const auto at = fields.find(name);
  EXPECT_NE(at, fields.end()) << name;
  return at == fields.end() ? Bytes() : Hex(Json(at->second));
}

TEST(Vectors, HpkeOfRfc9180) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  std::ifstream file(*shared / "vectors/rfc9180-hpke/appendix-x25519-sha256-chacha20poly1305.md");
  ASSERT_TRUE(file);
  std::size_t ran = 0;
  std::size_t messages = 0;
  std::size_t exports = 0;
  std::size_t not_ours = 0;
  for (const auto& section : Parse(file)) {
    ASSERT_EQ(section.setup.size(), 1U);
    const auto& setup = section.setup[0];
    ASSERT_TRUE(setup.contains("mode"));
    if (setup.at("mode") != "0") {
      ++not_ours;
      continue;
    }
    Entry entry{static_cast<std::uint16_t>(std::stoul(setup.at("aead_id"))),
                Field(setup, "info"),
                Field(setup, "ikmE"),
                Field(setup, "ikmR"),
                Field(setup, "skRm"),
                Field(setup, "pkRm"),
                Field(setup, "enc"),
                Field(setup, "shared_secret"),
                {},
                {}};
    for (const auto& message : section.messages) {
      entry.messages.push_back({std::stoull(message.at("sequence number")), Field(message, "aad"),
                                Field(message, "pt"), Field(message, "ct")});
    }
    for (const auto& exported : section.exports) {
      entry.exports.push_back({Field(exported, "exporter_context"), std::stoul(exported.at("L")),
                               Field(exported, "exported_value")});
    }
    RunEntry(entry);
    ++ran;
    messages += entry.messages.size();
    exports += entry.exports.size();
  }
  ReportCount("rfc9180 hpke, base mode", ran, 1);
  ReportCount("rfc9180 hpke, messages", messages, 6);
  ReportCount("rfc9180 hpke, exports", exports, 3);
  ReportCount("rfc9180 hpke, psk and auth modes, not ours", not_ours, 3);
}

HpkeSuite AesSuite() { return {X25519Kem(), support::Aes128Gcm()}; }

// What these files call ikmE is the ephemeral private key itself, which no sender of ours takes:
// its public half is compared, and then the ciphertext, which either end of a context can make.
void CheckSender(const Json& test, const KemKeyPair& receiver) {
  const auto ephemeral = X25519Kem().FromPrivateKey(KeyOf(Hex(test["ikmE"])));
  ASSERT_TRUE(ephemeral);
  EXPECT_EQ(ephemeral->public_key, Hex(test["enc"]));
  auto context = SetupHpkeReceiver(AesSuite(), receiver, Hex(test["info"]), Hex(test["enc"]));
  ASSERT_TRUE(context);
  const auto sealed = context->Seal(Hex(test["aad"]), Hex(test["pt"]));
  ASSERT_TRUE(sealed);
  EXPECT_EQ(*sealed, Hex(test["ct"]));
}

TEST(Wycheproof, HpkeX25519Decrypt) {
  const auto file = support::Vectors("wycheproof/unmerged/hpke_x25519_decrypt_test.json");
  if (!file) return;
  std::size_t ran = 0;
  for (const auto& group : (*file)["testGroups"]) {
    ASSERT_EQ(group["aeadId"], 1);
    for (const auto& test : group["tests"]) {
      SCOPED_TRACE(test["comment"].get<std::string>());
      const auto pair = X25519Kem().FromPrivateKey(KeyOf(Hex(test["skRm"])));
      ASSERT_TRUE(pair);
      EXPECT_EQ(pair->public_key, Hex(test["pkRm"]));
      const bool valid = test["result"] == "valid";
      const auto enc = Hex(test["enc"]);
      const auto sealed = Hex(test["ct"]);
      auto receiver = SetupHpkeReceiver(AesSuite(), *pair, Hex(test["info"]), enc);
      bool opened_it = false;
      if (receiver) {
        const auto opened = receiver->Open(Hex(test["aad"]), sealed);
        opened_it = opened.ok();
        if (opened) {
          EXPECT_EQ(Plain(*opened), Hex(test["pt"]));
        }
      }
      EXPECT_EQ(opened_it, valid);
      if (valid) CheckSender(test, *pair);
      ++ran;
    }
  }
  ReportCount("wycheproof hpke_x25519_decrypt", ran, 20);
}

TEST(Wycheproof, HpkeX25519Encap) {
  const auto file = support::Vectors("wycheproof/unmerged/hpke_x25519_encap_test.json");
  if (!file) return;
  std::size_t ran = 0;
  for (const auto& group : (*file)["testGroups"]) {
    ASSERT_EQ(group["aeadId"], 1);
    for (const auto& test : group["tests"]) {
      SCOPED_TRACE(test["comment"].get<std::string>());
      const bool valid = test["result"] == "valid";
      const auto sender =
          SetupHpkeSender(AesSuite(), Hex(test["pkRm"]), Hex(test["info"]), support::RandomKey());
      EXPECT_EQ(sender.ok(), valid);
      if (!sender) {
        EXPECT_EQ(sender.error().code(), base::Code::kInvalidArgument);
      }
      if (valid) {
        const auto pair = X25519Kem().FromPrivateKey(KeyOf(Hex(test["skRm"])));
        ASSERT_TRUE(pair);
        EXPECT_EQ(pair->public_key, Hex(test["pkRm"]));
        CheckSender(test, *pair);
      }
      ++ran;
    }
  }
  ReportCount("wycheproof hpke_x25519_encap", ran, 6);
}

}  // namespace
}  // namespace godwit::crypto
