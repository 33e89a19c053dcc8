#include "transport/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <string>

#include "base/c_handle.h"
#include "crypto/hash.h"

namespace godwit::transport {
namespace {

using Bio = base::CHandle<BIO, BIO_free>;
using Certificate = base::CHandle<X509, X509_free>;
using Store = base::CHandle<X509_STORE, X509_STORE_free>;
using Key = base::CHandle<EVP_PKEY, EVP_PKEY_free>;
using Names = base::CHandle<GENERAL_NAMES, GENERAL_NAMES_free>;
using SslContext = base::CHandle<SSL_CTX, SSL_CTX_free>;
using StoreContext = base::CHandle<X509_STORE_CTX, X509_STORE_CTX_free>;

// More than a leaf, its authority and one on its way in or out is nobody's chain of ours.
constexpr std::size_t kMaxChain = 8;

std::vector<Certificate> ReadAll(std::string_view pem) {
  std::vector<Certificate> certificates;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (bio != nullptr && certificates.size() < kMaxChain) {
    Certificate next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  // The end of the text leaves an error behind, which would be another call's.
  ERR_clear_error();
  return certificates;
}

base::Sha256Hash KeyOf(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  base::Sha256Hash hash;
  if (size > 0) {
    hash = base::Sha256Hash(crypto::Sha256(base::ByteSpan(der, static_cast<std::size_t>(size))));
  }
  OPENSSL_free(der);
  return hash;
}

// Whether `leaf` is a server's and stands directly under `authority`, both in force now.
bool Signed(X509* leaf, X509* authority, const std::function<bool(X509_VERIFY_PARAM*)>& more) {
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  if (store == nullptr || context == nullptr) return false;
  if (X509_STORE_add_cert(store.get(), authority) != 1) return false;
  if (X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr) != 1) return false;
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // The leaf stands directly under the pinned authority.
  X509_VERIFY_PARAM_set_depth(param, 0);
  if (X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER) != 1) return false;
  return more(param) && X509_verify_cert(context.get()) == 1;
}

bool Verifies(X509* leaf, X509* authority, const std::string& host) {
  // OpenSSL takes an empty name for no check of names.
  return !host.empty() && Signed(leaf, authority, [&](X509_VERIFY_PARAM* param) {
    return X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) == 1 ||
           X509_VERIFY_PARAM_set1_host(param, host.data(), host.size()) == 1;
  });
}

std::uint64_t ExpiresMs(const X509* certificate) {
  struct tm when {};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1) return 0;
  const time_t seconds = timegm(&when);
  return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds) * 1000;
}

// The names that `certificate` is good for, sorted.
std::vector<std::string> HostsOf(X509* certificate) {
  std::vector<std::string> hosts;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    hosts.push_back(type == GEN_DNS ? "DNS:" : "IP:");
    hosts.back().append(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                        static_cast<std::size_t>(ASN1_STRING_length(value)));
  }
  std::ranges::sort(hosts);
  return hosts;
}

}  // namespace

base::Result<base::Sha256Hash> CertificateKey(std::string_view pem) {
  const auto certificates = ReadAll(pem);
  if (certificates.empty()) {
    return base::Error(base::Code::kInvalidArgument, "there is no certificate in PEM");
  }
  return KeyOf(certificates.front().get());
}

base::Result<ServerCertificate> ReadServerCertificate(std::string_view pem) {
  const auto all = ReadAll(pem);
  if (all.empty()) {
    return base::Error(base::Code::kInvalidArgument, "there is no certificate in PEM");
  }
  X509* leaf = all.front().get();
  ServerCertificate read{KeyOf(leaf), {}, HostsOf(leaf), ExpiresMs(leaf)};
  for (const auto& authority : all) {
    if (!Signed(leaf, authority.get(), [](X509_VERIFY_PARAM*) { return true; })) continue;
    read.authorities.push_back(KeyOf(authority.get()));
    read.expires_ms = std::min(read.expires_ms, ExpiresMs(authority.get()));
  }
  ERR_clear_error();
  if (read.authorities.empty()) {
    return base::Error(base::Code::kInvalidArgument,
                       "the certificate is no server's, is not valid now, or no authority beside "
                       "it signed it: it must stand first, and its authority's after it");
  }
  return read;
}

bool IsKeyOf(std::string_view key_pem, std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
  // A key that asks for a passphrase would ask at the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const Key key(bio == nullptr
                    ? nullptr
                    : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  const auto all = ReadAll(pem);
  const SslContext context(SSL_CTX_new(TLS_server_method()));
  const bool taken = key != nullptr && !all.empty() && context != nullptr &&
                     SSL_CTX_use_certificate(context.get(), all.front().get()) == 1 &&
                     SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1 &&
                     SSL_CTX_check_private_key(context.get()) == 1;
  ERR_clear_error();
  return taken;
}

base::Result<base::Sha256Hash> CheckPinned(std::string_view leaf_pem, std::string_view chain_pem,
                                           const std::vector<base::Sha256Hash>& pins,
                                           std::string_view host) {
  const auto leaf = ReadAll(leaf_pem);
  if (leaf.size() != 1) {
    return base::Error(base::Code::kUnavailable, "the service shows no certificate");
  }
  bool pinned = false;
  bool verifies = false;
  for (const auto& authority : ReadAll(chain_pem)) {
    if (std::ranges::find(pins, KeyOf(authority.get())) == pins.end()) continue;
    pinned = true;
    verifies = verifies || Verifies(leaf.front().get(), authority.get(), std::string(host));
  }
  ERR_clear_error();
  if (!pinned) {
    return base::Error(base::Code::kUnavailable,
                       "the service shows a certificate of an authority that no pin names");
  }
  if (!verifies) {
    return base::Error(base::Code::kUnavailable,
                       "the service shows a certificate that is not valid for this address now");
  }
  return KeyOf(leaf.front().get());
}

}  // namespace godwit::transport
