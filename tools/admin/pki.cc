#include "tools/admin/pki.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <ctime>

#include "base/c_handle.h"
#include "crypto/hash.h"

namespace godwit::admin {
namespace {

using Bio = base::CHandle<BIO, BIO_free>;
using Certificate = base::CHandle<X509, X509_free>;
using Key = base::CHandle<EVP_PKEY, EVP_PKEY_free>;
using Extension = base::CHandle<X509_EXTENSION, X509_EXTENSION_free>;

// Certificates begin to hold a little earlier than now: clocks differ.
constexpr long kEarlierSeconds = 3'600;
constexpr long kSecondsPerDay = 86'400;
constexpr int kSerialBytes = 16;

base::Error Failed() {
  ERR_clear_error();
  return {base::Code::kInternal, "OpenSSL could not make a certificate"};
}
base::Error Invalid(base::Literal message) {
  ERR_clear_error();
  return {base::Code::kInvalidArgument, message};
}

Certificate ReadCertificate(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return nullptr;
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

Key ReadKey(const crypto::SecretBytes& pem) {
  const auto bytes = pem.Expose();
  const Bio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  if (bio == nullptr) return nullptr;
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

std::string WriteCertificate(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// The memory of this kind of BIO is wiped when it is freed.
base::Result<crypto::SecretBytes> WriteKey(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Failed();
  }
  char* text = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &text));
  crypto::SecretBytes pem(size);
  std::copy_n(text, size, pem.Expose().begin());
  return pem;
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetSerial(X509* certificate) {
  unsigned char bytes[kSerialBytes];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] &= 0x7f;
  const base::CHandle<BIGNUM, BN_free> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// All but issuer, extensions and signature.
Certificate Begin(EVP_PKEY* key, const char* name, int days) {
  Certificate certificate(X509_new());
  X509* x509 = certificate.get();
  if (x509 == nullptr || X509_set_version(x509, X509_VERSION_3) != 1 || !SetSerial(x509) ||
      X509_gmtime_adj(X509_getm_notBefore(x509), -kEarlierSeconds) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(x509), days * kSecondsPerDay) == nullptr ||
      X509_set_pubkey(x509, key) != 1 ||
      X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>(name), -1, -1, 0) != 1) {
    return nullptr;
  }
  return certificate;
}

// "IP:127.0.0.1" or "DNS:name"; nothing for what is neither.
std::string AlternativeName(const std::string& host) {
  const base::CHandle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> address(
      a2i_IPADDRESS(host.c_str()));
  if (address != nullptr) return "IP:" + host;
  const bool is_name =
      !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '.';
      });
  return is_name ? "DNS:" + host : std::string();
}

// What a certificate is for.
struct Purpose {
  const char* name;
  const char* usage;
  std::string alternative_names;  // empty: none
};

base::Result<KeyedCertificate> Issue(const KeyedCertificate& authority, const Purpose& purpose,
                                     int days) {
  const Certificate issuer = ReadCertificate(authority.certificate);
  const Key issuer_key = ReadKey(authority.key);
  if (issuer == nullptr || issuer_key == nullptr ||
      X509_check_private_key(issuer.get(), issuer_key.get()) != 1) {
    return Invalid("the authority's certificate and key cannot be read, or are not a pair");
  }
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed();
  const Certificate certificate = Begin(key.get(), purpose.name, days);
  X509* x509 = certificate.get();
  const std::string& names = purpose.alternative_names;
  if (x509 == nullptr || X509_set_issuer_name(x509, X509_get_subject_name(issuer.get())) != 1 ||
      !AddExtension(x509, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") ||
      !AddExtension(x509, issuer.get(), NID_key_usage, "critical,digitalSignature") ||
      !AddExtension(x509, issuer.get(), NID_ext_key_usage, purpose.usage) ||
      !AddExtension(x509, issuer.get(), NID_subject_key_identifier, "hash") ||
      !AddExtension(x509, issuer.get(), NID_authority_key_identifier, "keyid:always") ||
      (!names.empty() && !AddExtension(x509, issuer.get(), NID_subject_alt_name, names)) ||
      X509_sign(x509, issuer_key.get(), EVP_sha256()) == 0) {
    return Failed();
  }
  auto pem = WriteKey(key.get());
  if (!pem) return pem.error();
  return KeyedCertificate{WriteCertificate(x509), *std::move(pem)};
}

}  // namespace

base::Result<KeyedCertificate> MakeAuthority(int days) {
  const Key key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Failed();
  const Certificate certificate = Begin(key.get(), "Godwit realm authority", days);
  X509* x509 = certificate.get();
  if (x509 == nullptr || X509_set_issuer_name(x509, X509_get_subject_name(x509)) != 1 ||
      !AddExtension(x509, x509, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !AddExtension(x509, x509, NID_key_usage, "critical,keyCertSign") ||
      !AddExtension(x509, x509, NID_subject_key_identifier, "hash") ||
      X509_sign(x509, key.get(), EVP_sha256()) == 0) {
    return Failed();
  }
  auto pem = WriteKey(key.get());
  if (!pem) return pem.error();
  return KeyedCertificate{WriteCertificate(x509), *std::move(pem)};
}

base::Result<KeyedCertificate> IssueServer(const KeyedCertificate& authority,
                                           const std::vector<std::string>& hosts, int days) {
  std::string names;
  for (const auto& host : hosts) {
    const std::string name = AlternativeName(host);
    if (name.empty()) return Invalid("a host must be a name or an address, without a port");
    names += (names.empty() ? "" : ",") + name;
  }
  if (names.empty()) return Invalid("a server's certificate needs at least one host");
  return Issue(authority, {"Godwit realm service", "serverAuth", names}, days);
}

base::Result<KeyedCertificate> IssueCaller(const KeyedCertificate& authority, int days) {
  return Issue(authority, {"Godwit realm front", "clientAuth", ""}, days);
}

base::Result<base::Sha256Hash> PinOf(std::string_view pem) {
  const Certificate certificate = ReadCertificate(pem);
  if (certificate == nullptr) return Invalid("there is no certificate in PEM");
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate.get()), &der);
  if (size <= 0) return Failed();
  const base::Sha256Hash pin(crypto::Sha256(base::ByteSpan(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return pin;
}

}  // namespace godwit::admin
