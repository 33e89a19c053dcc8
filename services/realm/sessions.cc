#include "services/realm/sessions.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "protocol/session.h"

namespace godwit::realm {
namespace {

base::Error NoSession() {
  return {base::Code::kUnauthenticated, "this device has no live session: open one"};
}

bool IsActive(const protocol::Roster& roster, const base::MemberId& member,
              const base::DeviceId& device) {
  const auto* known = roster.FindDevice(device);
  return known != nullptr && known->member == member &&
         roster.IsActiveAt(device, roster.head_seq());
}

}  // namespace

base::Result<storage::Nonce> Sessions::MakeNonce() {
  const auto roster = rosters_.Newest();
  if (!roster) return roster.error();
  std::array<std::uint8_t, storage::Nonce::kSize> bytes;
  crypto::FillRandom(bytes);
  const storage::Nonce nonce(bytes);
  const auto put = store_.PutNonce((*roster)->realm(), nonce, clock_.NowMs() + kNonceMs);
  if (!put) return put.error();
  return nonce;
}

base::Result<OpenedSession> Sessions::Open(base::ByteSpan au) {
  const auto read = protocol::ParseSessionRequest(au);
  if (!read) return read.error();
  const auto newest = rosters_.Newest();
  if (!newest) return newest.error();
  const protocol::Roster& roster = **newest;
  const auto& request = read->request;
  const auto* device = roster.FindDevice(request.device);
  if (request.realm != roster.realm() || request.service != protocol::SessionService::kRealm ||
      !IsShown(request.spki) || device == nullptr ||
      !roster.IsActiveAt(request.device, roster.head_seq()) ||
      !protocol::Verify(*read, device->keys.sign_pk)) {
    return NoSession();
  }
  const auto taken =
      store_.TakeNonce(roster.realm(), storage::Nonce(request.server_nonce), clock_.NowMs());
  if (!taken) {
    if (taken.error().code() == base::Code::kNotFound) return NoSession();
    return taken.error();
  }
  OpenedSession opened;
  opened.token.resize(kTokenSize);
  crypto::FillRandom(opened.token);
  opened.seconds = kSessionSeconds;
  const auto stored = store_.Open(
      roster.realm(), {storage::TokenHash(crypto::Sha256(opened.token)), device->member,
                       request.device, clock_.NowMs() + kSessionSeconds * std::uint64_t{1000}});
  if (!stored) return stored.error();
  return opened;
}

void Sessions::Accept(const base::Sha256Hash& spki, std::uint64_t grace_ms) {
  const std::lock_guard lock(mutex_);
  if (keys_.back().spki == spki) return;
  const std::uint64_t now_ms = clock_.NowMs();
  keys_.back().until_ms = now_ms + grace_ms;
  // The key that is taken into use again is for good, too.
  std::erase_if(keys_,
                [&](const ShownKey& key) { return key.until_ms <= now_ms || key.spki == spki; });
  keys_.push_back({spki, kForGood});
}

bool Sessions::IsShown(const base::Sha256Hash& spki) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t now_ms = clock_.NowMs();
  return std::ranges::any_of(
      keys_, [&](const ShownKey& key) { return key.spki == spki && now_ms < key.until_ms; });
}

base::Result<server::Caller> Sessions::Authenticate(base::ByteSpan token) {
  if (token.size() != kTokenSize) return NoSession();
  auto roster = rosters_.Known();
  if (roster == nullptr) {
    auto newest = rosters_.Newest();
    if (!newest) {
      // Before there is a realm nobody has a session with it.
      if (newest.error().code() == base::Code::kNotFound) return NoSession();
      return newest.error();
    }
    roster = *std::move(newest);
  }
  const base::Sha256Hash hash(crypto::Sha256(token));
  const auto live = store_.Find(roster->realm(), storage::TokenHash(hash.bytes()), clock_.NowMs());
  if (!live) return live.error();
  if (!*live) return NoSession();
  const auto newest = rosters_.AtLeast((*live)->roster);
  if (!newest) return newest.error();
  const auto& session = (*live)->session;
  if (!IsActive(**newest, session.member, session.device)) return NoSession();
  return server::Caller{session.member, session.device, hash};
}

base::Status Sessions::CheckStillActive(const server::Caller& caller) {
  const auto newest = rosters_.Newest();
  if (!newest) return newest.error();
  if (!IsActive(**newest, caller.member, caller.device)) return NoSession();
  return {};
}

base::Status Sessions::Close(const server::Caller& caller) {
  const auto roster = rosters_.Known();
  if (roster == nullptr) return NoSession();
  return store_.Close(roster->realm(), storage::TokenHash(caller.session.bytes()));
}

}  // namespace godwit::realm
