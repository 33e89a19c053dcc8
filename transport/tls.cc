#include "transport/tls.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <memory>

namespace godwit::transport {
namespace {

// gRPC 1.51 sets the minimum version of each context itself, after OpenSSL's defaults; what is
// switched off by name stays off.
constexpr char kConfiguration[] =
    "openssl_conf = godwit\n"
    "[godwit]\n"
    "ssl_conf = ssl\n"
    "[ssl]\n"
    "system_default = tls\n"
    "[tls]\n"
    "Protocol = ALL,-TLSv1.2,-TLSv1.1,-TLSv1\n";

base::Status Load() {
  const base::Error refused(base::Code::kInternal,
                            "OpenSSL does not take the configuration that leaves TLS 1.3 alone");
  // The machine's own configuration file could switch older versions on again.
  if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) != 1) return refused;
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(kConfiguration, sizeof kConfiguration - 1), &BIO_free);
  const std::unique_ptr<CONF, decltype(&NCONF_free)> conf(NCONF_new(nullptr), &NCONF_free);
  if (text == nullptr || conf == nullptr) return refused;
  long error_line = 0;
  if (NCONF_load_bio(conf.get(), text.get(), &error_line) != 1) return refused;
  if (CONF_modules_load(conf.get(), nullptr, 0) != 1) return refused;
  return {};
}

}  // namespace

base::Status RequireTls13() {
  static const base::Status loaded = Load();
  return loaded;
}

}  // namespace godwit::transport
