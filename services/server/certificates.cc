#include "services/server/certificates.h"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/text_file.h"

namespace godwit::server {
namespace {

base::Error Invalid(base::Literal message) {
  return base::Error(base::Code::kInvalidArgument, message);
}

}  // namespace

base::Result<CertificateSet> ReadCertificates(const CertificateFiles& files) {
  auto chain = base::ReadTextFile(files.certificate);
  if (!chain || chain->empty()) {
    return Invalid("the certificate file cannot be read: see setting certificate");
  }
  struct stat key_status {};
  if (stat(files.key.c_str(), &key_status) != 0) {
    return Invalid("the key file cannot be read: see setting key");
  }
  if ((key_status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Invalid("others may read the key file: chmod 0600 it");
  }
  auto text = base::ReadTextFile(files.key);
  if (!text || text->empty()) return Invalid("the key file cannot be read: see setting key");
  CertificateSet set;
  set.key = crypto::SecretBytes(text->size() + 1);
  std::ranges::copy(base::AsBytes(*text), set.key.Expose().begin());
  crypto::Wipe(std::span(reinterpret_cast<std::uint8_t*>(text->data()), text->size()));
  const auto key = set.key.Expose().first(set.key.size() - 1);
  if (!transport::IsKeyOf({reinterpret_cast<const char*>(key.data()), key.size()}, *chain)) {
    return Invalid("the key is not that of the certificate, or one of them is no PEM");
  }
  auto shown = transport::ReadServerCertificate(*chain);
  if (!shown) return shown.error();
  set.chain = *std::move(chain);
  set.shown = *std::move(shown);
  return set;
}

base::Status CheckSuccessor(const transport::ServerCertificate& shown,
                            const transport::ServerCertificate& next) {
  const bool known = std::ranges::any_of(next.authorities, [&](const base::Sha256Hash& each) {
    return std::ranges::find(shown.authorities, each) != shown.authorities.end();
  });
  if (!known) {
    return Invalid(
        "another authority signed the new certificate than the one in use: clients "
        "would refuse it; where they pin both, start the service anew");
  }
  if (!std::ranges::includes(next.hosts, shown.hosts)) {
    return Invalid(
        "the new certificate lacks a host of the one in use: name them all, or start "
        "the service anew");
  }
  return {};
}

}  // namespace godwit::server
