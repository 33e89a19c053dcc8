// Every request of a realm's service: the first byte picks the call, the rest are its bytes, which
// go through all that comes before the database: protobuf, the form, signatures and rules.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "base/bytes.h"
#include "crypto/init.h"
#include "protocol/join.h"
#include "protocol/session.h"
#include "services/realm/admission.h"
#include "services/realm/requests.h"
#include "tests/support/builders.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using support::TestRealm;
using support::TestVault;

// A realm with a vault, which requests meet.
struct World {
  TestRealm realm{Compartment::kCases};
  support::Person& coordinator = realm.Add(protocol::kCoordinator);
  TestVault vault{realm, protocol::Kind::kScreening, coordinator,
                  TestVault::Members{{&coordinator, protocol::kFull}}};
  server::Caller caller{coordinator.id, coordinator.device().id(), {}};
  VaultState state;
  std::set<base::Link> links;  // of all entries that there are

  World() {
    vault.WritePinned(coordinator, "text");
    for (const auto& entry : vault.entries()) {
      support::Require(state.vault.Append(entry, realm.roster()));
      links.insert(state.vault.head());
    }
  }
};

template <class Request>
bool Read(base::ByteSpan bytes, Request& request) {
  return request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// The form alone.
template <class Request>
void Form(base::ByteSpan bytes) {
  Request request;
  if (Read(bytes, request)) (void)Parse(request);
}

void OpenSession(base::ByteSpan bytes, const World& world) {
  wire::OpenSessionRequest request;
  if (!Read(bytes, request)) return;
  const auto au = Parse(request);
  if (!au) return;
  const auto read = protocol::ParseSessionRequest(*au);
  if (read) (void)protocol::Verify(*read, world.coordinator.device().keys().sign_pk);
}

void CreateRealm(base::ByteSpan bytes) {
  wire::CreateRealmRequest request;
  if (!Read(bytes, request)) return;
  const auto call = Parse(request);
  if (!call) return;
  protocol::Roster roster;
  (void)roster.Append(call->genesis);
}

void AppendStatements(base::ByteSpan bytes, const World& world) {
  wire::AppendStatementsRequest request;
  if (!Read(bytes, request)) return;
  const auto uploads = Parse(request);
  if (!uploads) return;
  for (const auto& upload : *uploads) {
    (void)CheckStatementSigned(upload.statement, world.realm.roster());
  }
  (void)AdmitStatements(world.realm.roster(), world.caller, *uploads, {}, 0);
}

void PutJoinMessage(base::ByteSpan bytes) {
  wire::PutJoinMessageRequest request;
  if (!Read(bytes, request)) return;
  const auto call = Parse(request);
  if (call) {
    (void)protocol::IsJoinMessage(static_cast<int>(call->step), call->invite, call->message);
  }
}

void AppendEntries(base::ByteSpan bytes, const World& world) {
  wire::AppendEntriesRequest request;
  if (!Read(bytes, request)) return;
  const auto uploads = Parse(request);
  if (!uploads) return;
  for (const auto& upload : *uploads) {
    for (const auto* state : {&world.state, static_cast<const VaultState*>(nullptr)}) {
      const auto admitted = AdmitEntries(state == nullptr ? VaultState() : *state,
                                         world.realm.roster(), world.caller, upload.entries, {}, 0);
      // Nobody forges a signature of this world's people.
      if (admitted && !world.links.contains(admitted->after->vault.head())) std::abort();
    }
  }
}

void Run(base::ByteSpan input) {
  static const World world;
  const base::ByteSpan bytes = input.subspan(1);
  switch (input[0] % 11) {
    case 0:
      return OpenSession(bytes, world);
    case 1:
      return CreateRealm(bytes);
    case 2:
      return Form<wire::FetchRosterRequest>(bytes);
    case 3:
      return AppendStatements(bytes, world);
    case 4:
      return Form<wire::PutOfferRequest>(bytes);
    case 5:
      return Form<wire::DeleteOfferRequest>(bytes);
    case 6:
      return PutJoinMessage(bytes);
    case 7:
      return AppendEntries(bytes, world);
    case 8:
      return Form<wire::FetchVaultRequest>(bytes);
    case 9:
      return Form<wire::FetchBoardRequest>(bytes);
    default:
      return Form<wire::ListVaultsRequest>(bytes);
  }
}

}  // namespace
}  // namespace godwit::realm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = godwit::crypto::Init().ok();
  if (ready && size > 0) godwit::realm::Run({data, size});
  return 0;
}
