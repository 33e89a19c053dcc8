#include "services/realm/requests.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "services/realm/uploads.h"
#include "transport/realm_client.h"

namespace godwit::realm {
namespace {

std::string Id(char c = 'i') { return std::string(16, c); }

wire::AppendEntriesRequest OneEntry() {
  wire::AppendEntriesRequest request;
  auto& entry = *request.add_vaults()->add_entries();
  entry.set_entry("e");
  return request;
}
wire::AppendStatementsRequest OneStatement() {
  wire::AppendStatementsRequest request;
  request.add_statements()->set_statement("s");
  return request;
}

// Each field of bytes, by the size that a test gives it; `least` 0 means that empty is good.
struct Field {
  const char* name;
  std::size_t least;
  std::size_t most;
  std::function<bool(const std::string&)> takes;
};

std::vector<Field> Fields() {
  return {
      {"au", 1, kMaxAu,
       [](const std::string& bytes) {
         wire::OpenSessionRequest request;
         request.set_au(bytes);
         return Parse(request).ok();
       }},
      {"claim", 32, 32,
       [](const std::string& bytes) {
         wire::CreateRealmRequest request;
         request.set_claim(bytes);
         request.set_genesis("g");
         return Parse(request).ok();
       }},
      {"genesis", 1, kMaxStatement,
       [](const std::string& bytes) {
         wire::CreateRealmRequest request;
         request.set_claim(std::string(32, 'c'));
         request.set_genesis(bytes);
         return Parse(request).ok();
       }},
      {"statement", 1, kMaxStatement,
       [](const std::string& bytes) {
         auto request = OneStatement();
         request.mutable_statements(0)->set_statement(bytes);
         return Parse(request).ok();
       }},
      {"device", 16, 16,
       [](const std::string& bytes) {
         auto request = OneStatement();
         auto& box = *request.mutable_statements(0)->add_boxes();
         box.set_device(bytes);
         box.set_box("b");
         return Parse(request).ok();
       }},
      {"device box", 1, kMaxBox,
       [](const std::string& bytes) {
         auto request = OneStatement();
         auto& box = *request.mutable_statements(0)->add_boxes();
         box.set_device(Id());
         box.set_box(bytes);
         return Parse(request).ok();
       }},
      {"offer's invite", 16, 16,
       [](const std::string& bytes) {
         wire::PutOfferRequest request;
         request.set_invite_id(bytes);
         request.set_offer("o");
         return Parse(request).ok();
       }},
      {"offer", 1, kMaxOffer,
       [](const std::string& bytes) {
         wire::PutOfferRequest request;
         request.set_invite_id(Id());
         request.set_offer(bytes);
         return Parse(request).ok();
       }},
      {"deleted invite", 16, 16,
       [](const std::string& bytes) {
         wire::DeleteOfferRequest request;
         request.set_invite_id(bytes);
         return Parse(request).ok();
       }},
      {"message's invite", 16, 16,
       [](const std::string& bytes) {
         wire::PutJoinMessageRequest request;
         request.set_invite_id(bytes);
         request.set_step(wire::JOIN_STEP_J1);
         request.set_message("m");
         return Parse(request).ok();
       }},
      {"message", 1, kMaxJoinMessage,
       [](const std::string& bytes) {
         wire::PutJoinMessageRequest request;
         request.set_invite_id(Id());
         request.set_step(wire::JOIN_STEP_J1);
         request.set_message(bytes);
         return Parse(request).ok();
       }},
      {"asked invite", 16, 16,
       [](const std::string& bytes) {
         wire::GetJoinMessagesRequest request;
         request.set_invite_id(bytes);
         return Parse(request).ok();
       }},
      {"entry", 1, kMaxEntry,
       [](const std::string& bytes) {
         auto request = OneEntry();
         request.mutable_vaults(0)->mutable_entries(0)->set_entry(bytes);
         return Parse(request).ok();
       }},
      {"ciphertext", 0, kMaxCiphertext,
       [](const std::string& bytes) {
         auto request = OneEntry();
         request.mutable_vaults(0)->mutable_entries(0)->set_ciphertext(bytes);
         return Parse(request).ok();
       }},
      {"member", 16, 16,
       [](const std::string& bytes) {
         auto request = OneEntry();
         auto& box = *request.mutable_vaults(0)->mutable_entries(0)->add_boxes();
         box.set_member(bytes);
         box.set_box("b");
         return Parse(request).ok();
       }},
      {"member box", 1, kMaxBox,
       [](const std::string& bytes) {
         auto request = OneEntry();
         auto& box = *request.mutable_vaults(0)->mutable_entries(0)->add_boxes();
         box.set_member(Id());
         box.set_box(bytes);
         return Parse(request).ok();
       }},
      {"vault", 16, 16,
       [](const std::string& bytes) {
         wire::FetchVaultRequest request;
         request.set_vault(bytes);
         return Parse(request).ok();
       }},
  };
}

TEST(Requests, EachFieldOfBytesHasItsSizes) {
  for (const auto& field : Fields()) {
    SCOPED_TRACE(field.name);
    const auto takes = [&](std::size_t size) { return field.takes(std::string(size, 'x')); };
    EXPECT_TRUE(takes(field.least));
    EXPECT_TRUE(takes(field.most));
    EXPECT_TRUE(field.least == field.most || takes(field.most - 1));
    EXPECT_FALSE(takes(field.most + 1));
    if (field.least > 0) {
      EXPECT_FALSE(takes(field.least - 1));
    }
  }
}

// Fields that may be empty, or else have one size.
TEST(Requests, FieldsThatMayBeEmptyHaveOneSizeElse) {
  for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 19u, 20u, 21u, 31u, 32u, 33u, 4096u}) {
    SCOPED_TRACE(size);
    const std::string bytes(size, 'x');
    wire::FetchRosterRequest roster;
    roster.set_invite_id(bytes);
    EXPECT_EQ(Parse(roster).ok(), size == 0 || size == 16);
    auto entry = OneEntry();
    entry.mutable_vaults(0)->mutable_entries(0)->set_salt(bytes);
    EXPECT_EQ(Parse(entry).ok(), size == 0 || size == 32);
    wire::FetchBoardRequest board;
    board.set_kind(9);
    board.set_cursor(bytes);
    EXPECT_EQ(Parse(board).ok(), size == 0 || size == 20);
    wire::ListVaultsRequest list;
    list.set_cursor(bytes);
    EXPECT_EQ(Parse(list).ok(), size == 0 || size == 20);
  }
}

TEST(Requests, NoIdIsZero) {
  const std::string zero(16, '\0');
  wire::FetchVaultRequest vault;
  vault.set_vault(zero);
  EXPECT_FALSE(Parse(vault));
  wire::FetchRosterRequest roster;
  roster.set_invite_id(zero);
  EXPECT_FALSE(Parse(roster));
  wire::GetJoinMessagesRequest messages;
  messages.set_invite_id(zero);
  EXPECT_FALSE(Parse(messages));
}

TEST(Requests, NumbersStayInTheirRange) {
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  wire::FetchVaultRequest vault;
  vault.set_vault(Id());
  wire::FetchRosterRequest roster;
  for (const std::uint64_t seq : {std::uint64_t{0}, most}) {
    vault.set_from_seq(seq);
    roster.set_from_seq(seq);
    EXPECT_TRUE(Parse(vault));
    EXPECT_TRUE(Parse(roster));
  }
  vault.set_from_seq(most + 1);
  roster.set_from_seq(std::numeric_limits<std::uint64_t>::max());
  EXPECT_FALSE(Parse(vault));
  EXPECT_FALSE(Parse(roster));
  for (const std::uint32_t kind : {0u, 19u, 255u, 256u, 265u, 0xffffffffu}) {
    wire::FetchBoardRequest board;
    board.set_kind(kind);
    EXPECT_FALSE(Parse(board)) << kind;
  }
  for (const int step : {-1, 0, 4, 1'000'000}) {
    wire::PutJoinMessageRequest message;
    message.set_invite_id(Id());
    message.set_message("m");
    message.set_step(static_cast<wire::JoinStep>(step));
    EXPECT_FALSE(Parse(message)) << step;
  }
}

TEST(Requests, ListsHaveTheirLengths) {
  wire::AppendStatementsRequest statements;
  EXPECT_FALSE(Parse(statements));
  for (std::size_t i = 0; i < kMaxStatements; ++i) statements.add_statements()->set_statement("s");
  EXPECT_TRUE(Parse(statements));
  statements.add_statements()->set_statement("s");
  EXPECT_FALSE(Parse(statements));

  auto boxes = OneStatement();
  for (std::size_t i = 0; i <= kMaxDeviceBoxes; ++i) {
    EXPECT_TRUE(Parse(boxes));
    auto& box = *boxes.mutable_statements(0)->add_boxes();
    box.set_device(Id());
    box.set_box("b");
  }
  EXPECT_FALSE(Parse(boxes));

  wire::AppendEntriesRequest entries;
  EXPECT_FALSE(Parse(entries));
  entries.add_vaults();
  EXPECT_FALSE(Parse(entries));
  for (std::size_t i = 0; i < transport::kMaxEntriesPerCall; ++i) {
    entries.mutable_vaults(0)->add_entries()->set_entry("e");
  }
  EXPECT_TRUE(Parse(entries));
  // Over all vaults of a call.
  entries.add_vaults()->add_entries()->set_entry("e");
  EXPECT_FALSE(Parse(entries));

  auto members = OneEntry();
  auto& entry = *members.mutable_vaults(0)->mutable_entries(0);
  for (std::size_t i = 0; i < kMaxMemberBoxes; ++i) {
    auto& box = *entry.add_boxes();
    box.set_member(Id());
    box.set_box("b");
  }
  EXPECT_TRUE(Parse(members));
  auto& box = *entry.add_boxes();
  box.set_member(Id());
  box.set_box("b");
  EXPECT_FALSE(Parse(members));
}

TEST(Requests, ACallHoldsFourMebibytes) {
  auto request = OneEntry();
  for (int i = 0; i < 3; ++i) {
    auto& entry = *request.mutable_vaults(0)->add_entries();
    entry.set_entry("e");
    entry.set_ciphertext(std::string(kMaxCiphertext, 'x'));
  }
  EXPECT_TRUE(Parse(request));
  auto& entry = *request.mutable_vaults(0)->add_entries();
  entry.set_entry("e");
  entry.set_ciphertext(std::string(kMaxCiphertext, 'x'));
  EXPECT_FALSE(Parse(request));
}

}  // namespace
}  // namespace godwit::realm
