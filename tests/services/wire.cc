#include "tests/services/wire.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "crypto/secret.h"
#include "transport/wire.h"

namespace godwit::realm {
namespace {

void* Tag(std::intptr_t n) { return reinterpret_cast<void*>(n); }

bool Wait(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

void AppendTo(std::string& text, const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return;
  for (const auto& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
}

}  // namespace

transport::SessionProver ProverOf(const support::TestRealm& realm, const support::Person& person,
                                  std::size_t device) {
  return [&realm, &person, device](const base::Sha256Hash& spki,
                                   base::ByteSpan nonce) -> base::Result<base::Bytes> {
    protocol::SessionRequest request;
    request.realm = realm.roster().realm();
    request.device = person.devices[device].id();
    request.spki = spki;
    std::ranges::copy(nonce, request.server_nonce.begin());
    crypto::FillRandom(request.client_nonce);
    return protocol::SignSessionRequest(request, person.devices[device].signing_key());
  };
}

transport::StatementUpload WireOf(const StatementUpload& upload) {
  transport::StatementUpload wire{base::ToBytes(upload.statement), {}};
  for (const auto& box : upload.boxes) wire.boxes.push_back({box.device, base::ToBytes(box.box)});
  return wire;
}

transport::VaultUpload WireOf(const VaultUpload& upload) {
  transport::VaultUpload wire;
  for (const auto& each : upload.entries) {
    transport::EntryUpload entry{
        base::ToBytes(each.entry), {}, base::ToBytes(each.salt), base::ToBytes(each.ciphertext)};
    for (const auto& box : each.boxes) {
      entry.boxes.push_back({box.member, base::ToBytes(box.box)});
    }
    wire.entries.push_back(std::move(entry));
  }
  return wire;
}

Raw::Raw(const transport::RealmAddress& address)
    : Raw(transport::MakePinnedChannel(address.host_port, address.pins).channel) {}

Raw::Raw(std::shared_ptr<grpc::Channel> channel)
    : channel_(std::move(channel)),
      generic_(channel_),
      stub_(v1::RealmService::NewStub(channel_)) {}

Raw::Answer Raw::Ask(const std::string& method, const std::string& bytes,
                     const std::string& token) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (!token.empty()) context.AddMetadata(transport::kTokenKey, token);
  grpc::CompletionQueue queue;
  const grpc::Slice slice(bytes);
  grpc::ByteBuffer request(&slice, 1);
  Answer answer;
  const auto call = generic_.PrepareCall(&context, method, &queue);
  call->StartCall(Tag(1));
  Wait(queue);
  call->WriteLast(request, grpc::WriteOptions(), Tag(2));
  Wait(queue);
  for (;;) {
    grpc::ByteBuffer response;
    call->Read(&response, Tag(3));
    if (!Wait(queue)) break;
    AppendTo(answer.bytes, response);
  }
  call->Finish(&answer.status, Tag(4));
  Wait(queue);
  for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
    answer.trailers +=
        std::string(key.data(), key.size()) + "=" + std::string(value.data(), value.size()) + ";";
  }
  return answer;
}

std::string Raw::OpenSession(const support::TestRealm& realm, const support::Person& person,
                             const base::Sha256Hash& spki) {
  v1::GetNonceResponse nonce;
  grpc::ClientContext first;
  EXPECT_TRUE(stub_->GetNonce(&first, {}, &nonce).ok());
  const auto prove = ProverOf(realm, person);
  v1::OpenSessionRequest request;
  request.set_au(base::ToString(support::Must(prove(spki, base::AsBytes(nonce.nonce())))));
  v1::OpenSessionResponse session;
  grpc::ClientContext second;
  EXPECT_TRUE(stub_->OpenSession(&second, request, &session).ok());
  return session.token();
}

std::vector<std::string> Methods() {
  const auto* service = v1::GetNonceRequest::descriptor()->file()->service(0);
  std::vector<std::string> methods;
  for (int i = 0; i < service->method_count(); ++i) {
    methods.push_back("/" + service->full_name() + "/" + service->method(i)->name());
  }
  return methods;
}

std::string Name(const std::string& method) { return method.substr(method.rfind('/') + 1); }

}  // namespace godwit::realm
