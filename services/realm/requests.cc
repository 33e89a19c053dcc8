#include "services/realm/requests.h"

#include <limits>
#include <string>

#include "storage/board_store.h"
#include "transport/realm_client.h"

namespace godwit::realm {
namespace {

using base::AsBytes;

base::Error Wrong(base::Literal message) {
  return base::Error(base::Code::kInvalidArgument, message);
}

template <class Id>
std::optional<Id> IdOf(const std::string& field) {
  auto id = Id::FromBytes(AsBytes(field));
  if (id && id->IsZero()) return std::nullopt;
  return id;
}

bool HasSize(const std::string& field, std::size_t least, std::size_t most) {
  return field.size() >= least && field.size() <= most;
}

// What a seq's column holds.
bool IsSeq(std::uint64_t seq) {
  return seq <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

base::Result<base::ByteSpan> CursorOf(const std::string& field) {
  if (!field.empty() && field.size() != storage::ChangeCursor::kSize) {
    return Wrong("cursor: not one of this service's");
  }
  return AsBytes(field);
}

}  // namespace

base::Result<base::ByteSpan> Parse(const wire::OpenSessionRequest& request) {
  if (!HasSize(request.au(), 1, kMaxAu)) return Wrong("au: must be 1 to 1,024 bytes");
  return AsBytes(request.au());
}

base::Result<CreateRealmCall> Parse(const wire::CreateRealmRequest& request) {
  if (request.claim().size() != kClaimSize) return Wrong("claim: must be 32 bytes");
  if (!HasSize(request.genesis(), 1, kMaxStatement)) {
    return Wrong("genesis: must be 1 byte to 128 KiB");
  }
  return CreateRealmCall{AsBytes(request.claim()), AsBytes(request.genesis())};
}

base::Result<FetchRosterCall> Parse(const wire::FetchRosterRequest& request) {
  FetchRosterCall call;
  if (!IsSeq(request.from_seq())) return Wrong("from_seq: too large");
  call.from_seq = request.from_seq();
  if (!request.invite_id().empty()) {
    call.invite = IdOf<base::InviteId>(request.invite_id());
    if (!call.invite) return Wrong("invite_id: must be empty or 16 bytes, not all zero");
  }
  return call;
}

base::Result<std::vector<StatementUpload>> Parse(const wire::AppendStatementsRequest& request) {
  const auto count = static_cast<std::size_t>(request.statements_size());
  if (count < 1 || count > kMaxStatements) return Wrong("statements: must be 1 to 64");
  std::vector<StatementUpload> uploads;
  for (const auto& each : request.statements()) {
    if (!HasSize(each.statement(), 1, kMaxStatement)) {
      return Wrong("statement: must be 1 byte to 128 KiB");
    }
    if (static_cast<std::size_t>(each.boxes_size()) > kMaxDeviceBoxes) {
      return Wrong("boxes: must be at most 16 a statement");
    }
    StatementUpload upload{AsBytes(each.statement()), {}};
    for (const auto& box : each.boxes()) {
      const auto device = IdOf<base::DeviceId>(box.device());
      if (!device) return Wrong("device: must be 16 bytes, not all zero");
      if (!HasSize(box.box(), 1, kMaxBox)) return Wrong("box: must be 1 to 1,168 bytes");
      upload.boxes.push_back({*device, AsBytes(box.box())});
    }
    uploads.push_back(std::move(upload));
  }
  return uploads;
}

base::Result<PutOfferCall> Parse(const wire::PutOfferRequest& request) {
  const auto invite = IdOf<base::InviteId>(request.invite_id());
  if (!invite) return Wrong("invite_id: must be 16 bytes, not all zero");
  if (!HasSize(request.offer(), 1, kMaxOffer)) return Wrong("offer: must be 1 byte to 64 KiB");
  return PutOfferCall{*invite, AsBytes(request.offer())};
}

base::Result<base::InviteId> Parse(const wire::DeleteOfferRequest& request) {
  const auto invite = IdOf<base::InviteId>(request.invite_id());
  if (!invite) return Wrong("invite_id: must be 16 bytes, not all zero");
  return *invite;
}

base::Result<PutJoinMessageCall> Parse(const wire::PutJoinMessageRequest& request) {
  PutJoinMessageCall call;
  const auto invite = IdOf<base::InviteId>(request.invite_id());
  if (!invite) return Wrong("invite_id: must be 16 bytes, not all zero");
  call.invite = *invite;
  if (request.step() == wire::JOIN_STEP_J1) {
    call.step = storage::JoinStep::kJ1;
  } else if (request.step() == wire::JOIN_STEP_J2) {
    call.step = storage::JoinStep::kJ2;
  } else if (request.step() == wire::JOIN_STEP_J3) {
    call.step = storage::JoinStep::kJ3;
  } else {
    return Wrong("step: must be J1, J2 or J3");
  }
  if (!HasSize(request.message(), 1, kMaxJoinMessage)) {
    return Wrong("message: must be 1 byte to 16 KiB");
  }
  call.message = AsBytes(request.message());
  return call;
}

base::Result<base::InviteId> Parse(const wire::GetJoinMessagesRequest& request) {
  const auto invite = IdOf<base::InviteId>(request.invite_id());
  if (!invite) return Wrong("invite_id: must be 16 bytes, not all zero");
  return *invite;
}

base::Result<std::vector<VaultUpload>> Parse(const wire::AppendEntriesRequest& request) {
  if (request.ByteSizeLong() > transport::kMaxBytesPerCall) {
    return Wrong("a call holds at most 4 MiB");
  }
  if (request.vaults_size() < 1) return Wrong("vaults: must be at least one");
  std::size_t entries = 0;
  std::vector<VaultUpload> uploads;
  for (const auto& vault : request.vaults()) {
    if (vault.entries_size() < 1) return Wrong("entries: must be at least one a vault");
    entries += static_cast<std::size_t>(vault.entries_size());
    if (entries > transport::kMaxEntriesPerCall) return Wrong("a call holds at most 256 entries");
    VaultUpload upload;
    for (const auto& each : vault.entries()) {
      if (!HasSize(each.entry(), 1, kMaxEntry)) return Wrong("entry: must be 1 byte to 256 KiB");
      if (!each.salt().empty() && each.salt().size() != kSaltSize) {
        return Wrong("salt: must be empty or 32 bytes");
      }
      if (each.ciphertext().size() > kMaxCiphertext) {
        return Wrong("ciphertext: must be at most 1 MiB and 16 bytes");
      }
      if (static_cast<std::size_t>(each.boxes_size()) > kMaxMemberBoxes) {
        return Wrong("boxes: must be at most 2,000 an entry");
      }
      EntryUpload entry;
      entry.entry = AsBytes(each.entry());
      entry.salt = AsBytes(each.salt());
      entry.ciphertext = AsBytes(each.ciphertext());
      for (const auto& box : each.boxes()) {
        const auto member = IdOf<base::MemberId>(box.member());
        if (!member) return Wrong("member: must be 16 bytes, not all zero");
        if (!HasSize(box.box(), 1, kMaxBox)) return Wrong("box: must be 1 to 1,168 bytes");
        entry.boxes.push_back({*member, AsBytes(box.box())});
      }
      upload.entries.push_back(std::move(entry));
    }
    uploads.push_back(std::move(upload));
  }
  return uploads;
}

base::Result<FetchVaultCall> Parse(const wire::FetchVaultRequest& request) {
  const auto vault = IdOf<base::VaultId>(request.vault());
  if (!vault) return Wrong("vault: must be 16 bytes, not all zero");
  if (!IsSeq(request.from_seq())) return Wrong("from_seq: too large");
  return FetchVaultCall{*vault, request.from_seq()};
}

base::Result<FetchBoardCall> Parse(const wire::FetchBoardRequest& request) {
  if (request.kind() < 1 || request.kind() > protocol::kLastKind) {
    return Wrong("kind: must be a kind of vault");
  }
  const auto cursor = CursorOf(request.cursor());
  if (!cursor) return cursor.error();
  return FetchBoardCall{protocol::Kind{static_cast<std::uint8_t>(request.kind())}, *cursor};
}

base::Result<base::ByteSpan> Parse(const wire::ListVaultsRequest& request) {
  return CursorOf(request.cursor());
}

}  // namespace godwit::realm
