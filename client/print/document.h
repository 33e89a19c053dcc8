#pragma once

#include <string>
#include <variant>
#include <vector>

namespace godwit::print {

// What stands on paper, from top to bottom; how it looks, client/print/pdf.h decides. All texts are
// UTF-8; none of them is read as markup.

struct Heading {
  std::string text;
};
struct Paragraph {
  std::string text;
};
// A label and what is said there; without a value, a line to write on.
struct Field {
  std::string label;
  std::string value;
};
// A question with a box for each answer, ticked or not.
struct Choice {
  struct Option {
    std::string label;
    bool ticked = false;
  };
  std::string question;
  std::vector<Option> options;
};
// A box for each who signs by hand.
struct Signatures {
  std::vector<std::string> labels;
};
using Block = std::variant<Heading, Paragraph, Field, Choice, Signatures>;

struct Document {
  std::string title{};
  std::string language = "en";  // BCP 47: how characters that languages share are drawn
  std::string footer{};         // at the foot of every page, before its number
  std::vector<Block> blocks{};
};

}  // namespace godwit::print
