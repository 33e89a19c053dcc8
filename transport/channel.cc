#include "transport/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/channel_arguments.h>

#include <functional>
#include <string_view>
#include <utility>

#include "transport/certificate.h"
#include "transport/wire.h"

namespace godwit::transport {
namespace {

constexpr int kFirstReconnectMs = 100;
constexpr int kLastReconnectMs = 2'000;

std::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

// "name:port" or "[v6]:port" without the port.
std::string_view HostOf(std::string_view host_port) {
  if (host_port.starts_with('[')) {
    const auto end = host_port.find(']');
    return end == std::string_view::npos ? host_port : host_port.substr(1, end - 1);
  }
  return host_port.substr(0, host_port.rfind(':'));
}

class PinVerifier final : public grpc::experimental::ExternalCertificateVerifier {
 public:
  PinVerifier(std::string host, std::vector<base::Sha256Hash> pins,
              std::shared_ptr<Handshake> handshake)
      : host_(std::move(host)), pins_(std::move(pins)), handshake_(std::move(handshake)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* status) override {
    const auto key = CheckPinned(View(request->peer_cert()), View(request->peer_cert_full_chain()),
                                 pins_, host_);
    handshake_->Set(key);
    *status =
        key ? grpc::Status::OK
            : grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(key.error().message()));
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  const std::string host_;
  const std::vector<base::Sha256Hash> pins_;
  const std::shared_ptr<Handshake> handshake_;
};

}  // namespace

void Handshake::Set(const base::Result<base::Sha256Hash>& server_key) {
  const std::lock_guard lock(mutex_);
  server_key_ = server_key;
}

base::Result<base::Sha256Hash> Handshake::server_key() const {
  const std::lock_guard lock(mutex_);
  return server_key_;
}

PinnedChannel MakePinnedChannel(const std::string& host_port,
                                const std::vector<base::Sha256Hash>& pins) {
  PinnedChannel made;
  made.handshake = std::make_shared<Handshake>();
  grpc::experimental::TlsChannelCredentialsOptions options;
  // The pins are the only roots, and the verifier checks all that gRPC would.
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<PinVerifier>(
          std::string(HostOf(host_port)), pins, made.handshake));

  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxResponseSize));
  arguments.SetMaxSendMessageSize(static_cast<int>(kMaxRequestSize));
  // Waits between attempts. How long one attempt may take is GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
  // whatever its name says: left at gRPC's 20 s, since a handshake over a poor line takes seconds.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLastReconnectMs);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // No connection serves two channels: two realms or two members must not share one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  made.channel =
      grpc::CreateCustomChannel(host_port, grpc::experimental::TlsCredentials(options), arguments);
  return made;
}

}  // namespace godwit::transport
