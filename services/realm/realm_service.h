#pragma once

#include "godwit/realm/v1/realm.grpc.pb.h"
#include "services/realm/engine.h"
#include "services/server/guard.h"
#include "services/server/worker_pool.h"

namespace godwit::realm {

// godwit.realm.v1.RealmService over an engine: each method parses, calls, and fills its answer.
// Thread-safe.
class RealmService final : public v1::RealmService::CallbackService {
 public:
  // All must outlive the service and all its calls.
  RealmService(Engine& engine, server::WorkerPool& pool, server::Metrics& metrics,
               server::CallLimits limits = {});

  // Of its guard.
  std::size_t running() const { return guard_.running(); }
  void EndOverdueStreams() { guard_.EndOverdueStreams(); }

  grpc::ServerUnaryReactor* GetNonce(grpc::CallbackServerContext* context,
                                     const v1::GetNonceRequest* request,
                                     v1::GetNonceResponse* response) override;
  grpc::ServerUnaryReactor* OpenSession(grpc::CallbackServerContext* context,
                                        const v1::OpenSessionRequest* request,
                                        v1::OpenSessionResponse* response) override;
  grpc::ServerUnaryReactor* CloseSession(grpc::CallbackServerContext* context,
                                         const v1::CloseSessionRequest* request,
                                         v1::CloseSessionResponse* response) override;
  grpc::ServerUnaryReactor* CreateRealm(grpc::CallbackServerContext* context,
                                        const v1::CreateRealmRequest* request,
                                        v1::CreateRealmResponse* response) override;
  grpc::ServerWriteReactor<v1::FetchRosterResponse>* FetchRoster(
      grpc::CallbackServerContext* context, const v1::FetchRosterRequest* request) override;
  grpc::ServerUnaryReactor* AppendStatements(grpc::CallbackServerContext* context,
                                             const v1::AppendStatementsRequest* request,
                                             v1::AppendStatementsResponse* response) override;
  grpc::ServerUnaryReactor* FetchPukBoxes(grpc::CallbackServerContext* context,
                                          const v1::FetchPukBoxesRequest* request,
                                          v1::FetchPukBoxesResponse* response) override;
  grpc::ServerUnaryReactor* PutOffer(grpc::CallbackServerContext* context,
                                     const v1::PutOfferRequest* request,
                                     v1::PutOfferResponse* response) override;
  grpc::ServerUnaryReactor* DeleteOffer(grpc::CallbackServerContext* context,
                                        const v1::DeleteOfferRequest* request,
                                        v1::DeleteOfferResponse* response) override;
  grpc::ServerUnaryReactor* PutJoinMessage(grpc::CallbackServerContext* context,
                                           const v1::PutJoinMessageRequest* request,
                                           v1::PutJoinMessageResponse* response) override;
  grpc::ServerUnaryReactor* GetJoinMessages(grpc::CallbackServerContext* context,
                                            const v1::GetJoinMessagesRequest* request,
                                            v1::GetJoinMessagesResponse* response) override;
  grpc::ServerUnaryReactor* AppendEntries(grpc::CallbackServerContext* context,
                                          const v1::AppendEntriesRequest* request,
                                          v1::AppendEntriesResponse* response) override;
  grpc::ServerWriteReactor<v1::FetchVaultResponse>* FetchVault(
      grpc::CallbackServerContext* context, const v1::FetchVaultRequest* request) override;
  grpc::ServerWriteReactor<v1::FetchBoardResponse>* FetchBoard(
      grpc::CallbackServerContext* context, const v1::FetchBoardRequest* request) override;
  grpc::ServerWriteReactor<v1::ListVaultsResponse>* ListVaults(
      grpc::CallbackServerContext* context, const v1::ListVaultsRequest* request) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;

 private:
  Engine& engine_;
  server::Guard guard_;
};

}  // namespace godwit::realm
