#pragma once

#include <array>
#include <string_view>

namespace jina {

// The templates of failure_cases.h. Their places in the lists are their numbers; every fourth is held out, so new ones
// go to the end.

// {A} and {B} are things. The second construction of each says the same as the first.
struct StatementFrame {
  std::string_view statement;
  std::string_view paraphrase;
};
inline constexpr std::array<StatementFrame, 16> kStatementFrames{{
    {"The {A} stands above the {B}.", "Below the {A} one finds the {B}."},
    {"The {A} came before the {B}.", "It was only later that the {A} was followed by the {B}."},
    {"The {A} caused the {B}.", "It is because of the {A} that the {B} came about."},
    {"The {A} is larger than the {B}.", "Put beside the {A}, the {B} looks small."},
    {"The {A} contains the {B}.", "Inside the {A} there is the {B}."},
    {"The {A} depends on the {B}.", "Without the {B} there would be no {A}."},
    {"The {A} replaced the {B}.", "Where there used to be the {B}, people now have the {A}."},
    {"The {A} costs more than the {B}.", "One pays less for the {B} than has to be paid for the {A}."},
    {"The {A} belongs to the {B}.", "It is the {B} that owns the {A}."},
    {"The {A} protects the {B}.", "Thanks to the {A}, no harm is done to the {B}."},
    {"The {A} was carried to the {B}.", "It was at the {B} that somebody put down the {A}."},
    {"The {A} describes the {B}.", "One can read about the {B} in the {A}."},
    {"The {A} controls the {B}.", "What the {B} does is decided by the {A}."},
    {"The {A} is older than the {B}.", "By the time there was the {B}, the {A} had long existed."},
    {"The {A} produced the {B}.", "What came out of the {A} was the {B}."},
    {"The {A} hides the {B}.", "Nobody can see the {B} because the {A} is in front of it."},
}};

// {A} is a name.
inline constexpr std::array<std::string_view, 8> kNameQueries{
    "What is said about {A}?",
    "Tell me about {A}.",
    "{A}",
    "Which statement mentions {A}?",
    "I am looking for something on {A}.",
    "Find information on {A}.",
    "Is there anything about {A}?",
    "A text in which {A} appears",
};

struct PolarFrame {
  std::string_view question;
  std::string_view yes;
  std::string_view no;
};
inline constexpr std::array<PolarFrame, 12> kPolarFrames{{
    {"Does the {A} work without the {B}?", "Yes, the {A} works just as well when there is no {B}.",
     "No, the {A} stops as soon as the {B} is missing."},
    {"Isn't the {A} a part of the {B}?", "Yes, it is: the {A} is one of the parts of the {B}.",
     "No, the {A} is not a part of the {B}."},
    {"Can the {A} be used for the {B}?", "Yes, the {A} can be used for that, and the {B} does not suffer.",
     "No, the {A} is of no use for the {B}."},
    {"Is it true that the {A} is not safe for the {B}?", "Yes, that is true: the {A} may harm the {B}.",
     "No, that is wrong: the {A} does no harm to the {B}."},
    {"Will the {B} change if the {A} is removed?", "Yes, the {B} changes once the {A} has been removed.",
     "No, removing the {A} leaves the {B} as it is."},
    {"Was the {A} there before the {B}?", "Yes, the {A} was there first and then the {B}.",
     "No, the {B} was there first and then the {A}."},
    {"Doesn't the {A} need the {B}?", "Yes, it does: the {A} cannot do without the {B}.",
     "No, the {A} does not need the {B}."},
    {"Should the {A} be kept away from the {B}?", "Yes, keep the {A} away from the {B}.",
     "No, the {A} may be kept beside the {B}."},
    {"Are the {A} and the {B} the same?", "Yes, {A} and {B} are two words for one thing.",
     "No, the {A} is one thing and the {B} is another."},
    {"Has the {A} never been seen with the {B}?", "Yes, it has: the {A} has been seen with the {B} more than once.",
     "No, nobody has ever seen the {A} with the {B}."},
    {"Did the {A} improve the {B}?", "Yes, since there is the {A} the {B} has become better.",
     "No, the {B} did not get any better by the {A}."},
    {"Is the {A} not allowed in the {B}?", "Yes, it is allowed: the {A} may be in the {B}.",
     "No, the {A} is forbidden in the {B}."},
}};
/// Statements about both that answer none of the questions.
inline constexpr std::array<std::string_view, 20> kNoAnswers{
    "The {A} and the {B} are often mentioned together.",
    "There are several kinds of {A}, and some books name the {B} too.",
    "Many people ask about the {A} and the {B}.",
    "The words {A} and {B} are in the list of terms.",
    "A chapter on the {A} comes after the one on the {B}.",
    "Questions on the {A} and the {B} are answered on Mondays.",
    "The {A} was discussed at length, and so was the {B}.",
    "See the entries {A} and {B}.",
    "Somebody wrote a letter about the {A} and the {B}.",
    "Pictures of the {A} and of the {B} are for sale.",
    "The {A} is in the first volume, the {B} in the second.",
    "Whoever asks about the {A} will hear of the {B} before long.",
    "Here is a list of books on the {A} and the {B}.",
    "It took a year to write down all that is known of the {A} and the {B}.",
    "Where the words {A} and {B} come from is a long story.",
    "We shall come back to the {A} and the {B} later.",
    "A film about the {A} was shown, then one about the {B}.",
    "The {A} and the {B} were the subject of the talk.",
    "People disagree about the {A}, and about the {B} even more.",
    "The teacher spoke of the {A} first and of the {B} after the break.",
};

}  // namespace jina
