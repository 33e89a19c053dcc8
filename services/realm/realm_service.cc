#include "services/realm/realm_service.h"

#include <utility>

#include "services/realm/requests.h"

namespace godwit::realm {
namespace {

using base::Status;
using server::Access;
using OptionalCaller = std::optional<server::Caller>;

template <class Id>
std::string Text(const Id& id) {
  return base::ToString(id.bytes());
}

void Fill(const std::vector<base::Bytes>& part, v1::FetchRosterResponse& response) {
  for (const auto& statement : part) response.add_statements(base::ToString(statement));
}

void Fill(const VaultPart& part, v1::FetchVaultResponse& response) {
  for (const auto& entry : part.entries) response.add_entries(base::ToString(entry));
  for (const auto& each : part.boxes) {
    auto& box = *response.add_boxes();
    box.set_epoch(each.epoch);
    box.set_box(base::ToString(each.box));
  }
  for (const auto& each : part.records) {
    auto& record = *response.add_records();
    record.set_record(Text(each.record));
    record.set_rver(each.rver);
    if (each.salt) record.set_salt(Text(*each.salt));
    record.set_ciphertext(base::ToString(each.ciphertext));
  }
}

void Fill(const BoardPart& part, v1::FetchBoardResponse& response) {
  for (const auto& each : part.rows) {
    auto& row = *response.add_rows();
    row.set_create(base::ToString(each.create));
    for (const auto& epoch : each.epochs) row.add_epochs(base::ToString(epoch));
    row.set_pinned(base::ToString(each.pinned));
    row.set_head(base::ToString(each.head));
    row.set_box(base::ToString(each.box));
    if (each.salt) row.set_salt(Text(*each.salt));
    row.set_ciphertext(base::ToString(each.ciphertext));
  }
  response.set_cursor(base::ToString(part.cursor));
}

void Fill(const ListPart& part, v1::ListVaultsResponse& response) {
  for (const auto& each : part.rows) {
    auto& vault = *response.add_vaults();
    vault.set_vault(Text(each.vault));
    vault.set_kind(each.kind);
    vault.set_head_seq(each.head.seq);
    vault.set_head(Text(each.head.link));
    vault.set_perm(each.perm);
  }
  response.set_cursor(base::ToString(part.cursor));
}

void Fill(const WatchHub::Hints& hints, v1::WatchResponse& response) {
  for (const auto& [vault, head_seq] : hints.vaults) {
    auto& hint = *response.add_vaults();
    hint.set_vault(Text(vault));
    hint.set_head_seq(head_seq);
  }
  response.set_roster_seq(hints.roster_seq);
  response.set_more(hints.more);
}

// The messages that a source's parts make.
template <class Response, class Part>
base::Result<server::Guard::NextMessage<Response>> MessagesOf(base::Result<Source<Part>> source) {
  if (!source) return source.error();
  return server::Guard::NextMessage<Response>(
      [source = *std::move(source)](Response& message) -> base::Result<server::Guard::Next> {
        auto part = source();
        if (!part) return part.error();
        if (!*part) return server::Guard::Next::kOver;
        Fill(**part, message);
        return server::Guard::Next::kMessage;
      });
}

}  // namespace

RealmService::RealmService(Engine& engine, server::WorkerPool& pool, server::Metrics& metrics,
                           server::CallLimits limits)
    : engine_(engine),
      guard_(
          pool, metrics,
          [&engine](base::ByteSpan token) { return engine.sessions().Authenticate(token); },
          limits) {}

grpc::ServerUnaryReactor* RealmService::GetNonce(grpc::CallbackServerContext* context,
                                                 const v1::GetNonceRequest* /*request*/,
                                                 v1::GetNonceResponse* response) {
  return guard_.Unary(context, "GetNonce", Access::kOpen,
                      [=, this](const OptionalCaller&) -> Status {
                        const auto nonce = engine_.sessions().MakeNonce();
                        if (!nonce) return nonce.error();
                        response->set_nonce(Text(*nonce));
                        return {};
                      });
}

grpc::ServerUnaryReactor* RealmService::OpenSession(grpc::CallbackServerContext* context,
                                                    const v1::OpenSessionRequest* request,
                                                    v1::OpenSessionResponse* response) {
  return guard_.Unary(context, "OpenSession", Access::kOpen,
                      [=, this](const OptionalCaller&) -> Status {
                        const auto au = Parse(*request);
                        if (!au) return au.error();
                        const auto session = engine_.sessions().Open(*au);
                        if (!session) return session.error();
                        response->set_token(base::ToString(session->token));
                        response->set_seconds(session->seconds);
                        return {};
                      });
}

grpc::ServerUnaryReactor* RealmService::CloseSession(grpc::CallbackServerContext* context,
                                                     const v1::CloseSessionRequest* /*request*/,
                                                     v1::CloseSessionResponse* /*response*/) {
  return guard_.Unary(
      context, "CloseSession", Access::kSession,
      [this](const OptionalCaller& caller) { return engine_.sessions().Close(*caller); });
}

grpc::ServerUnaryReactor* RealmService::CreateRealm(grpc::CallbackServerContext* context,
                                                    const v1::CreateRealmRequest* request,
                                                    v1::CreateRealmResponse* /*response*/) {
  return guard_.Unary(context, "CreateRealm", Access::kOpen,
                      [=, this](const OptionalCaller&) -> Status {
                        const auto call = Parse(*request);
                        if (!call) return call.error();
                        return engine_.CreateRealm(call->claim, call->genesis);
                      });
}

grpc::ServerWriteReactor<v1::FetchRosterResponse>* RealmService::FetchRoster(
    grpc::CallbackServerContext* context, const v1::FetchRosterRequest* request) {
  using Response = v1::FetchRosterResponse;
  return guard_.Stream<Response>(
      context, "FetchRoster", Access::kSessionIfGiven,
      [=,
       this](const OptionalCaller& caller) -> base::Result<server::Guard::NextMessage<Response>> {
        const auto call = Parse(*request);
        if (!call) return call.error();
        return MessagesOf<Response>(engine_.FetchRoster(caller, call->invite, call->from_seq));
      });
}

grpc::ServerUnaryReactor* RealmService::AppendStatements(grpc::CallbackServerContext* context,
                                                         const v1::AppendStatementsRequest* request,
                                                         v1::AppendStatementsResponse* response) {
  return guard_.Unary(context, "AppendStatements", Access::kSession,
                      [=, this](const OptionalCaller& caller) -> Status {
                        const auto uploads = Parse(*request);
                        if (!uploads) return uploads.error();
                        const auto head_seq = engine_.AppendStatements(*caller, *uploads);
                        if (!head_seq) return head_seq.error();
                        response->set_head_seq(*head_seq);
                        return {};
                      });
}

grpc::ServerUnaryReactor* RealmService::FetchPukBoxes(grpc::CallbackServerContext* context,
                                                      const v1::FetchPukBoxesRequest* request,
                                                      v1::FetchPukBoxesResponse* response) {
  return guard_.Unary(context, "FetchPukBoxes", Access::kSession,
                      [=, this](const OptionalCaller& caller) -> Status {
                        const auto boxes = engine_.FetchPukBoxes(*caller, request->from_gen());
                        if (!boxes) return boxes.error();
                        for (const auto& each : *boxes) {
                          auto& box = *response->add_boxes();
                          box.set_gen(each.gen);
                          box.set_box(base::ToString(each.box));
                        }
                        return {};
                      });
}

grpc::ServerUnaryReactor* RealmService::PutOffer(grpc::CallbackServerContext* context,
                                                 const v1::PutOfferRequest* request,
                                                 v1::PutOfferResponse* /*response*/) {
  return guard_.Unary(context, "PutOffer", Access::kSession,
                      [=, this](const OptionalCaller& caller) -> Status {
                        const auto call = Parse(*request);
                        if (!call) return call.error();
                        return engine_.PutOffer(*caller, call->invite, call->offer);
                      });
}

grpc::ServerUnaryReactor* RealmService::DeleteOffer(grpc::CallbackServerContext* context,
                                                    const v1::DeleteOfferRequest* request,
                                                    v1::DeleteOfferResponse* /*response*/) {
  return guard_.Unary(context, "DeleteOffer", Access::kSession,
                      [=, this](const OptionalCaller& caller) -> Status {
                        const auto invite = Parse(*request);
                        if (!invite) return invite.error();
                        return engine_.DeleteOffer(*caller, *invite);
                      });
}

grpc::ServerUnaryReactor* RealmService::PutJoinMessage(grpc::CallbackServerContext* context,
                                                       const v1::PutJoinMessageRequest* request,
                                                       v1::PutJoinMessageResponse* /*response*/) {
  return guard_.Unary(context, "PutJoinMessage", Access::kSessionIfGiven,
                      [=, this](const OptionalCaller& caller) -> Status {
                        const auto call = Parse(*request);
                        if (!call) return call.error();
                        return engine_.PutJoinMessage(caller, call->invite, call->step,
                                                      call->message);
                      });
}

grpc::ServerUnaryReactor* RealmService::GetJoinMessages(grpc::CallbackServerContext* context,
                                                        const v1::GetJoinMessagesRequest* request,
                                                        v1::GetJoinMessagesResponse* response) {
  return guard_.Unary(context, "GetJoinMessages", Access::kOpen,
                      [=, this](const OptionalCaller&) -> Status {
                        const auto invite = Parse(*request);
                        if (!invite) return invite.error();
                        const auto found = engine_.GetJoinMessages(*invite);
                        if (!found) return found.error();
                        response->set_offer(base::ToString(found->offer));
                        response->set_j1(base::ToString(found->j1));
                        response->set_j2(base::ToString(found->j2));
                        response->set_j3(base::ToString(found->j3));
                        return {};
                      });
}

grpc::ServerUnaryReactor* RealmService::AppendEntries(grpc::CallbackServerContext* context,
                                                      const v1::AppendEntriesRequest* request,
                                                      v1::AppendEntriesResponse* response) {
  return guard_.Unary(context, "AppendEntries", Access::kSession,
                      [=, this](const OptionalCaller& caller) -> Status {
                        const auto uploads = Parse(*request);
                        if (!uploads) return uploads.error();
                        const auto answers = engine_.AppendEntries(*caller, *uploads);
                        if (!answers) return answers.error();
                        for (const auto& answer : *answers) {
                          auto& result = *response->add_results();
                          if (answer) continue;
                          result.set_code(std::string(base::Name(answer.error().code())));
                          result.set_message(std::string(answer.error().message()));
                        }
                        return {};
                      });
}

grpc::ServerWriteReactor<v1::FetchVaultResponse>* RealmService::FetchVault(
    grpc::CallbackServerContext* context, const v1::FetchVaultRequest* request) {
  using Response = v1::FetchVaultResponse;
  return guard_.Stream<Response>(
      context, "FetchVault", Access::kSession,
      [=,
       this](const OptionalCaller& caller) -> base::Result<server::Guard::NextMessage<Response>> {
        const auto call = Parse(*request);
        if (!call) return call.error();
        return MessagesOf<Response>(engine_.FetchVault(*caller, call->vault, call->from_seq));
      });
}

grpc::ServerWriteReactor<v1::FetchBoardResponse>* RealmService::FetchBoard(
    grpc::CallbackServerContext* context, const v1::FetchBoardRequest* request) {
  using Response = v1::FetchBoardResponse;
  return guard_.Stream<Response>(
      context, "FetchBoard", Access::kSession,
      [=,
       this](const OptionalCaller& caller) -> base::Result<server::Guard::NextMessage<Response>> {
        const auto call = Parse(*request);
        if (!call) return call.error();
        return MessagesOf<Response>(engine_.FetchBoard(*caller, call->kind, call->cursor));
      });
}

grpc::ServerWriteReactor<v1::ListVaultsResponse>* RealmService::ListVaults(
    grpc::CallbackServerContext* context, const v1::ListVaultsRequest* request) {
  using Response = v1::ListVaultsResponse;
  return guard_.Stream<Response>(
      context, "ListVaults", Access::kSession,
      [=,
       this](const OptionalCaller& caller) -> base::Result<server::Guard::NextMessage<Response>> {
        const auto cursor = Parse(*request);
        if (!cursor) return cursor.error();
        return MessagesOf<Response>(engine_.ListVaults(*caller, *cursor));
      });
}

grpc::ServerWriteReactor<v1::WatchResponse>* RealmService::Watch(
    grpc::CallbackServerContext* context, const v1::WatchRequest* /*request*/) {
  using Response = v1::WatchResponse;
  using Guard = server::Guard;
  return guard_.Waiting<Response>(
      context, "Watch", Access::kSession,
      [this](const OptionalCaller& caller,
             Guard::Wake wake) -> base::Result<Guard::NextMessage<Response>> {
        auto opened = engine_.Watch(*caller, std::move(wake));
        if (!opened) return opened.error();
        const std::shared_ptr<WatchHub::Watcher> watcher = *std::move(opened);
        return Guard::NextMessage<Response>(
            [watcher](Response& message) -> base::Result<Guard::Next> {
              const auto taken = watcher->Take();
              if (!taken) return taken.error();
              if (*taken) Fill(**taken, message);
              if (*taken) return Guard::Next::kMessage;
              return watcher->over() ? Guard::Next::kOver : Guard::Next::kLater;
            });
      });
}

}  // namespace godwit::realm
