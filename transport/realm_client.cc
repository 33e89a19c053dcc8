#include "transport/realm_client.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "godwit/realm/v1/realm.grpc.pb.h"
#include "transport/channel.h"
#include "transport/code_text.h"
#include "transport/jitter.h"
#include "transport/tls.h"
#include "transport/wire.h"

namespace godwit::transport {
namespace {

using Time = std::chrono::steady_clock::time_point;
using v1 = godwit::realm::v1::RealmService;
namespace wire = godwit::realm::v1;

constexpr std::chrono::milliseconds kFirstWait{50};
constexpr std::chrono::milliseconds kLongestWait{2'000};
constexpr std::chrono::milliseconds kLookAtHandshakeEvery{50};
// A session is renewed this long before its end, so that no call meets the end on its way.
constexpr std::chrono::seconds kRenewEarly{30};

base::Bytes Copy(const std::string& field) { return base::ToBytes(base::AsBytes(field)); }

template <class Id>
std::string Text(const Id& id) {
  return base::ToString(id.bytes());
}

base::Error Malformed() {
  return {base::Code::kInternal, "the service's answer has the wrong form"};
}

base::Code CodeOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::OUT_OF_RANGE:
      return base::Code::kInvalidArgument;
    case grpc::StatusCode::NOT_FOUND:
      return base::Code::kNotFound;
    case grpc::StatusCode::ALREADY_EXISTS:
      return base::Code::kExists;
    case grpc::StatusCode::PERMISSION_DENIED:
      return base::Code::kPermissionDenied;
    case grpc::StatusCode::UNAUTHENTICATED:
      return base::Code::kUnauthenticated;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return base::Code::kResourceExhausted;
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ABORTED:
      return base::Code::kConflict;
    case grpc::StatusCode::UNIMPLEMENTED:
      return base::Code::kUnsupported;
    case grpc::StatusCode::UNAVAILABLE:
      return base::Code::kUnavailable;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return base::Code::kDeadline;
    case grpc::StatusCode::CANCELLED:
      return base::Code::kCancelled;
    default:
      return base::Code::kInternal;
  }
}

// The code that the service names, else the one that gRPC's status stands for.
base::Error ErrorOfCall(const grpc::ClientContext& context, const grpc::Status& status) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto named = trailers.find(kCodeKey);
  if (named != trailers.end()) {
    const auto code = base::CodeByName({named->second.data(), named->second.size()});
    if (code) return ErrorOf(*code);
  }
  return ErrorOf(CodeOf(status.error_code()));
}

wire::JoinStep StepOf(JoinStep step) {
  switch (step) {
    case JoinStep::kJ1:
      return wire::JOIN_STEP_J1;
    case JoinStep::kJ2:
      return wire::JOIN_STEP_J2;
    case JoinStep::kJ3:
      return wire::JOIN_STEP_J3;
  }
  return wire::JOIN_STEP_UNSPECIFIED;
}

enum class Session { kNone, kNeeded };

}  // namespace

class RealmClient::Impl {
 public:
  Impl(RealmAddress address, CallOptions options)
      : options_(options), tls_(RequireTls13()), pinned_(Connect(address)) {
    if (pinned_.channel != nullptr) stub_ = v1::NewStub(pinned_.channel);
  }

  void SetProver(SessionProver prover) {
    const std::lock_guard lock(mutex_);
    prover_ = std::move(prover);
    token_.clear();
  }

  base::Status CloseSession() {
    std::string token;
    {
      const std::lock_guard lock(mutex_);
      token.swap(token_);
    }
    if (token.empty()) return {};
    const Time deadline = std::chrono::steady_clock::now() + options_.timeout;
    return Attempts(deadline, [&](grpc::ClientContext& context) {
      context.AddMetadata(kTokenKey, token);
      wire::CloseSessionResponse response;
      return stub_->CloseSession(&context, {}, &response);
    });
  }

  base::Result<base::Sha256Hash> ServerKey() {
    if (!tls_) return tls_.error();
    const Time deadline = std::chrono::steady_clock::now() + options_.timeout;
    // The channel goes on trying where a certificate was refused, and need not.
    for (;;) {
      const Time slice =
          std::min(deadline, std::chrono::steady_clock::now() + kLookAtHandshakeEvery);
      const bool connected = pinned_.channel->WaitForConnected(ToSystem(slice));
      const auto key = pinned_.handshake->server_key();
      if (connected || slice == deadline || (!key && Refused(key.error()))) return key;
    }
  }

  // Calls `attempt(context)`, which returns a grpc::Status, until it succeeds, fails for good, or
  // time or tries are over.
  template <class Attempt>
  base::Status Call(Session session, std::chrono::milliseconds timeout, Attempt attempt) {
    const Time deadline = std::chrono::steady_clock::now() + timeout;
    if (session == Session::kNone) return Attempts(deadline, attempt);
    // A token that the service forgot (a restart, its end) is replaced once.
    for (bool again : {true, false}) {
      const auto token = Token(deadline);
      if (!token) return token.error();
      const auto status = Attempts(deadline, [&](grpc::ClientContext& context) {
        context.AddMetadata(kTokenKey, *token);
        return attempt(context);
      });
      if (status || status.error().code() != base::Code::kUnauthenticated) return status;
      Forget(*token);
      if (!again) return status;
    }
    return ErrorOf(base::Code::kUnauthenticated);
  }

  // A stream whose pieces go to `take(response)`. Once a piece was taken, nothing is tried again.
  template <class Response, class Open, class Take>
  base::Status Stream(Session session, Open open, Take take) {
    return Stream<Response>(session, options_.bulk_timeout, open, take);
  }
  template <class Response, class Open, class Take>
  base::Status Stream(Session session, std::chrono::milliseconds timeout, Open open, Take take) {
    base::Status taken;
    bool begun = false;
    grpc::Status end;
    const auto status = Call(session, timeout, [&](grpc::ClientContext& context) -> grpc::Status {
      if (begun) return end;
      const auto reader = open(context);
      Response response;
      while (taken && reader->Read(&response)) {
        begun = true;
        taken = take(std::move(response));
        response.Clear();
      }
      if (!taken) context.TryCancel();
      end = reader->Finish();
      return end;
    });
    return taken ? status : taken;
  }

  void Cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    for (grpc::ClientContext* context : running_) context->TryCancel();
  }

  const CallOptions& options() const { return options_; }
  v1::Stub& stub() { return *stub_; }

 private:
  PinnedChannel Connect(const RealmAddress& address) const {
    if (!tls_) return {};
    return MakePinnedChannel(address.host_port, address.pins);
  }

  static std::chrono::system_clock::time_point ToSystem(Time deadline) {
    return std::chrono::system_clock::now() +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(
               deadline - std::chrono::steady_clock::now());
  }

  [[nodiscard]] bool Enter(grpc::ClientContext& context) {
    const std::lock_guard lock(mutex_);
    if (!cancelled_) running_.insert(&context);
    return !cancelled_;
  }
  void Leave(grpc::ClientContext& context) {
    const std::lock_guard lock(mutex_);
    running_.erase(&context);
  }

  template <class Attempt>
  base::Status Attempts(Time deadline, Attempt attempt) {
    if (!tls_) return tls_.error();
    auto wait = kFirstWait;
    for (int tries_left = options_.tries;; --tries_left) {
      grpc::ClientContext context;
      context.set_deadline(ToSystem(deadline));
      if (!Enter(context)) return ErrorOf(base::Code::kCancelled);
      const grpc::Status status = attempt(context);
      Leave(context);
      if (status.ok()) return {};
      const base::Error error = ErrorOfCall(context, status);
      if (error.code() != base::Code::kUnavailable) return error;
      // A wrong certificate does not become right by trying again, and says more than the call.
      const auto key = pinned_.handshake->server_key();
      if (!key) {
        if (Refused(key.error())) return key.error();
      }
      const auto pause = Jittered(wait);
      if (tries_left <= 1 || std::chrono::steady_clock::now() + pause >= deadline) return error;
      std::this_thread::sleep_for(pause);
      wait = std::min(wait * 2, kLongestWait);
    }
  }

  static bool Refused(const base::Error& error) {
    return error.message() != Handshake().server_key().error().message();
  }

  // The token of a live session, opened if need be; one thread opens, the others wait for it.
  base::Result<std::string> Token(Time deadline) {
    const std::lock_guard opening(opening_);
    SessionProver prover;
    {
      const std::lock_guard lock(mutex_);
      if (!token_.empty() && std::chrono::steady_clock::now() < renew_at_) return token_;
      prover = prover_;
    }
    if (!prover) {
      return base::Error(base::Code::kUnauthenticated,
                         "this call needs a device of the realm: unlock it first");
    }
    wire::GetNonceResponse nonce;
    auto status = Attempts(deadline, [&](grpc::ClientContext& context) {
      return stub_->GetNonce(&context, {}, &nonce);
    });
    if (!status) return status.error();
    const auto key = pinned_.handshake->server_key();
    if (!key) return key.error();
    const auto au = prover(*key, base::AsBytes(nonce.nonce()));
    if (!au) return au.error();
    wire::OpenSessionRequest request;
    request.set_au(base::ToString(*au));
    wire::OpenSessionResponse response;
    const Time opened_at = std::chrono::steady_clock::now();
    status = Attempts(deadline, [&](grpc::ClientContext& context) {
      return stub_->OpenSession(&context, request, &response);
    });
    if (!status) return status.error();
    if (response.token().empty() || response.token().size() > 256) return Malformed();
    const std::lock_guard lock(mutex_);
    const std::chrono::seconds life(response.seconds());
    token_ = response.token();
    renew_at_ = opened_at + (life > 2 * kRenewEarly ? life - kRenewEarly : life / 2);
    return token_;
  }

  void Forget(const std::string& token) {
    const std::lock_guard lock(mutex_);
    if (token_ == token) token_.clear();
  }

  const CallOptions options_;
  const base::Status tls_;
  const PinnedChannel pinned_;
  std::unique_ptr<v1::Stub> stub_;
  std::mutex opening_;
  std::mutex mutex_;
  SessionProver prover_;
  std::string token_;
  Time renew_at_;
  std::set<grpc::ClientContext*> running_;
  bool cancelled_ = false;
};

RealmClient::RealmClient(RealmAddress address, CallOptions options)
    : impl_(std::make_unique<Impl>(std::move(address), options)) {}
RealmClient::~RealmClient() = default;

void RealmClient::SetProver(SessionProver prover) { impl_->SetProver(std::move(prover)); }

base::Status RealmClient::CloseSession() { return impl_->CloseSession(); }

base::Result<base::Sha256Hash> RealmClient::ServerKey() { return impl_->ServerKey(); }

base::Status RealmClient::CreateRealm(base::ByteSpan claim, base::ByteSpan genesis) {
  wire::CreateRealmRequest request;
  request.set_claim(base::ToString(claim));
  request.set_genesis(base::ToString(genesis));
  wire::CreateRealmResponse response;
  return impl_->Call(Session::kNone, impl_->options().timeout, [&](grpc::ClientContext& context) {
    return impl_->stub().CreateRealm(&context, request, &response);
  });
}

namespace {

// Collects a roster; a repeated attempt begins anew.
template <class ClientImpl>
base::Result<std::vector<base::Bytes>> CollectRoster(ClientImpl& impl, Session session,
                                                     const wire::FetchRosterRequest& request) {
  std::vector<base::Bytes> statements;
  const auto status = impl.Call(session, impl.options().bulk_timeout,
                                [&](grpc::ClientContext& context) -> grpc::Status {
                                  statements.clear();
                                  const auto reader = impl.stub().FetchRoster(&context, request);
                                  wire::FetchRosterResponse response;
                                  while (reader->Read(&response)) {
                                    for (const auto& statement : response.statements()) {
                                      statements.push_back(Copy(statement));
                                    }
                                  }
                                  return reader->Finish();
                                });
  if (!status) return status.error();
  return statements;
}

}  // namespace

base::Result<std::vector<base::Bytes>> RealmClient::FetchRoster(std::uint64_t from_seq) {
  wire::FetchRosterRequest request;
  request.set_from_seq(from_seq);
  return CollectRoster(*impl_, Session::kNeeded, request);
}

base::Result<std::vector<base::Bytes>> RealmClient::FetchRoster(std::uint64_t from_seq,
                                                                const base::InviteId& invite) {
  wire::FetchRosterRequest request;
  request.set_from_seq(from_seq);
  request.set_invite_id(Text(invite));
  return CollectRoster(*impl_, Session::kNone, request);
}

base::Result<std::uint64_t> RealmClient::AppendStatements(
    const std::vector<StatementUpload>& statements) {
  wire::AppendStatementsRequest request;
  for (const auto& upload : statements) {
    auto& statement = *request.add_statements();
    statement.set_statement(base::ToString(upload.statement));
    for (const auto& each : upload.boxes) {
      auto& box = *statement.add_boxes();
      box.set_device(Text(each.device));
      box.set_box(base::ToString(each.box));
    }
  }
  wire::AppendStatementsResponse response;
  const auto status =
      impl_->Call(Session::kNeeded, impl_->options().timeout, [&](grpc::ClientContext& context) {
        return impl_->stub().AppendStatements(&context, request, &response);
      });
  if (!status) return status.error();
  return response.head_seq();
}

base::Result<std::vector<PukBox>> RealmClient::FetchPukBoxes(std::uint32_t from_gen) {
  wire::FetchPukBoxesRequest request;
  request.set_from_gen(from_gen);
  wire::FetchPukBoxesResponse response;
  const auto status =
      impl_->Call(Session::kNeeded, impl_->options().timeout, [&](grpc::ClientContext& context) {
        return impl_->stub().FetchPukBoxes(&context, request, &response);
      });
  if (!status) return status.error();
  std::vector<PukBox> boxes;
  for (const auto& box : response.boxes()) boxes.push_back({box.gen(), Copy(box.box())});
  return boxes;
}

base::Status RealmClient::PutOffer(const base::InviteId& invite, base::ByteSpan offer) {
  wire::PutOfferRequest request;
  request.set_invite_id(Text(invite));
  request.set_offer(base::ToString(offer));
  wire::PutOfferResponse response;
  return impl_->Call(Session::kNeeded, impl_->options().timeout, [&](grpc::ClientContext& context) {
    return impl_->stub().PutOffer(&context, request, &response);
  });
}

base::Status RealmClient::DeleteOffer(const base::InviteId& invite) {
  wire::DeleteOfferRequest request;
  request.set_invite_id(Text(invite));
  wire::DeleteOfferResponse response;
  return impl_->Call(Session::kNeeded, impl_->options().timeout, [&](grpc::ClientContext& context) {
    return impl_->stub().DeleteOffer(&context, request, &response);
  });
}

base::Status RealmClient::PutJoinMessage(const base::InviteId& invite, JoinStep step,
                                         base::ByteSpan message) {
  wire::PutJoinMessageRequest request;
  request.set_invite_id(Text(invite));
  request.set_step(StepOf(step));
  request.set_message(base::ToString(message));
  wire::PutJoinMessageResponse response;
  const Session session = step == JoinStep::kJ2 ? Session::kNeeded : Session::kNone;
  return impl_->Call(session, impl_->options().timeout, [&](grpc::ClientContext& context) {
    return impl_->stub().PutJoinMessage(&context, request, &response);
  });
}

base::Result<JoinMessages> RealmClient::GetJoinMessages(const base::InviteId& invite) {
  wire::GetJoinMessagesRequest request;
  request.set_invite_id(Text(invite));
  wire::GetJoinMessagesResponse response;
  const auto status =
      impl_->Call(Session::kNone, impl_->options().timeout, [&](grpc::ClientContext& context) {
        return impl_->stub().GetJoinMessages(&context, request, &response);
      });
  if (!status) return status.error();
  return JoinMessages{Copy(response.offer()), Copy(response.j1()), Copy(response.j2()),
                      Copy(response.j3())};
}

base::Result<std::vector<VaultOutcome>> RealmClient::AppendEntries(
    const std::vector<VaultUpload>& vaults) {
  wire::AppendEntriesRequest request;
  std::size_t entries = 0;
  for (const auto& upload : vaults) {
    auto& vault = *request.add_vaults();
    for (const auto& each : upload.entries) {
      ++entries;
      auto& entry = *vault.add_entries();
      entry.set_entry(base::ToString(each.entry));
      entry.set_salt(base::ToString(each.salt));
      entry.set_ciphertext(base::ToString(each.ciphertext));
      for (const auto& row : each.boxes) {
        auto& box = *entry.add_boxes();
        box.set_member(Text(row.member));
        box.set_box(base::ToString(row.box));
      }
    }
  }
  if (entries > kMaxEntriesPerCall || request.ByteSizeLong() > kMaxBytesPerCall) {
    return base::Error(base::Code::kInvalidArgument, "more entries than one call may hold");
  }
  wire::AppendEntriesResponse response;
  const auto status = impl_->Call(
      Session::kNeeded, impl_->options().bulk_timeout, [&](grpc::ClientContext& context) {
        return impl_->stub().AppendEntries(&context, request, &response);
      });
  if (!status) return status.error();
  if (static_cast<std::size_t>(response.results_size()) != vaults.size()) return Malformed();
  std::vector<VaultOutcome> outcomes;
  for (const auto& result : response.results()) {
    if (result.code().empty()) {
      outcomes.emplace_back();
      continue;
    }
    outcomes.emplace_back(ErrorOf(base::CodeByName(result.code()).value_or(base::Code::kInternal)));
  }
  return outcomes;
}

base::Status RealmClient::FetchVault(const base::VaultId& vault, std::uint64_t from_seq,
                                     const Receiver<VaultPart>& receive) {
  wire::FetchVaultRequest request;
  request.set_vault(Text(vault));
  request.set_from_seq(from_seq);
  return impl_->Stream<wire::FetchVaultResponse>(
      Session::kNeeded,
      [&](grpc::ClientContext& context) { return impl_->stub().FetchVault(&context, request); },
      [&](wire::FetchVaultResponse response) -> base::Status {
        VaultPart part;
        for (const auto& entry : response.entries()) part.entries.push_back(Copy(entry));
        for (const auto& box : response.boxes()) {
          part.boxes.push_back({box.epoch(), Copy(box.box())});
        }
        for (const auto& content : response.records()) {
          const auto record = base::RecordId::FromBytes(base::AsBytes(content.record()));
          if (!record) return Malformed();
          part.records.push_back(
              {*record, content.rver(), Copy(content.salt()), Copy(content.ciphertext())});
        }
        return receive(std::move(part));
      });
}

base::Result<base::Bytes> RealmClient::FetchBoard(std::uint32_t kind, base::ByteSpan cursor,
                                                  const Receiver<BoardRow>& receive) {
  wire::FetchBoardRequest request;
  request.set_kind(kind);
  request.set_cursor(base::ToString(cursor));
  base::Bytes next;
  const auto status = impl_->Stream<wire::FetchBoardResponse>(
      Session::kNeeded,
      [&](grpc::ClientContext& context) { return impl_->stub().FetchBoard(&context, request); },
      [&](wire::FetchBoardResponse response) -> base::Status {
        for (const auto& each : response.rows()) {
          BoardRow row;
          row.create = Copy(each.create());
          for (const auto& epoch : each.epochs()) row.epochs.push_back(Copy(epoch));
          row.pinned = Copy(each.pinned());
          row.head = Copy(each.head());
          row.box = Copy(each.box());
          row.salt = Copy(each.salt());
          row.ciphertext = Copy(each.ciphertext());
          if (auto taken = receive(std::move(row)); !taken) return taken;
        }
        if (!response.cursor().empty()) next = Copy(response.cursor());
        return {};
      });
  if (!status) return status.error();
  return next;
}

base::Result<base::Bytes> RealmClient::ListVaults(base::ByteSpan cursor,
                                                  const Receiver<VaultHead>& receive) {
  wire::ListVaultsRequest request;
  request.set_cursor(base::ToString(cursor));
  base::Bytes next;
  const auto status = impl_->Stream<wire::ListVaultsResponse>(
      Session::kNeeded,
      [&](grpc::ClientContext& context) { return impl_->stub().ListVaults(&context, request); },
      [&](wire::ListVaultsResponse response) -> base::Status {
        for (const auto& each : response.vaults()) {
          const auto vault = base::VaultId::FromBytes(base::AsBytes(each.vault()));
          const auto head = base::Link::FromBytes(base::AsBytes(each.head()));
          if (!vault || !head) return Malformed();
          const auto taken = receive({*vault, each.kind(), each.head_seq(), *head, each.perm()});
          if (!taken) return taken;
        }
        if (!response.cursor().empty()) next = Copy(response.cursor());
        return {};
      });
  if (!status) return status.error();
  return next;
}

base::Status RealmClient::Watch(const Receiver<Hints>& receive) {
  return impl_->Stream<wire::WatchResponse>(
      Session::kNeeded, kWatchTime,
      [&](grpc::ClientContext& context) { return impl_->stub().Watch(&context, {}); },
      [&](const wire::WatchResponse& response) -> base::Status {
        Hints hints;
        hints.roster_seq = response.roster_seq();
        hints.more = response.more();
        for (const auto& each : response.vaults()) {
          const auto vault = base::VaultId::FromBytes(base::AsBytes(each.vault()));
          if (!vault) return Malformed();
          hints.vaults.push_back({*vault, each.head_seq()});
        }
        return receive(std::move(hints));
      });
}

void RealmClient::Cancel() { impl_->Cancel(); }

}  // namespace godwit::transport
