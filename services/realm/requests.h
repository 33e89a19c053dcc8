#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "godwit/realm/v1/realm.pb.h"
#include "protocol/kinds.h"
#include "services/realm/uploads.h"
#include "storage/mailbox_store.h"

namespace godwit::realm {

// The form of requests: sizes, ids, numbers, counts, as uploads.h and docs/protocol.md section 1
// have them; what they mean is for Engine. All give INVALID_ARGUMENT where the form is wrong. The
// spans look into the request.
namespace wire = godwit::realm::v1;

base::Result<base::ByteSpan> Parse(const wire::OpenSessionRequest& request);

struct CreateRealmCall {
  base::ByteSpan claim;
  base::ByteSpan genesis;
};
base::Result<CreateRealmCall> Parse(const wire::CreateRealmRequest& request);

struct FetchRosterCall {
  std::uint64_t from_seq = 0;
  std::optional<base::InviteId> invite;
};
base::Result<FetchRosterCall> Parse(const wire::FetchRosterRequest& request);
base::Result<std::vector<StatementUpload>> Parse(const wire::AppendStatementsRequest& request);

struct PutOfferCall {
  base::InviteId invite;
  base::ByteSpan offer;
};
base::Result<PutOfferCall> Parse(const wire::PutOfferRequest& request);
base::Result<base::InviteId> Parse(const wire::DeleteOfferRequest& request);
struct PutJoinMessageCall {
  base::InviteId invite;
  storage::JoinStep step = storage::JoinStep::kJ1;
  base::ByteSpan message;
};
base::Result<PutJoinMessageCall> Parse(const wire::PutJoinMessageRequest& request);
base::Result<base::InviteId> Parse(const wire::GetJoinMessagesRequest& request);

base::Result<std::vector<VaultUpload>> Parse(const wire::AppendEntriesRequest& request);

struct FetchVaultCall {
  base::VaultId vault;
  std::uint64_t from_seq = 0;
};
base::Result<FetchVaultCall> Parse(const wire::FetchVaultRequest& request);
struct FetchBoardCall {
  protocol::Kind kind = protocol::Kind::kCase;
  base::ByteSpan cursor;
};
base::Result<FetchBoardCall> Parse(const wire::FetchBoardRequest& request);
base::Result<base::ByteSpan> Parse(const wire::ListVaultsRequest& request);

}  // namespace godwit::realm
