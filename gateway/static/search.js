// A plugin of the viewer: its search looks at paths and summaries too, not at tags alone.

import { words } from "./text.js";

function holds(text, phrase) {
  const lower = text.toLowerCase();
  return phrase.toLowerCase().split(/\s+/).every((word) => lower.includes(word));
}

function find(tags, phrase) {
  return tags
    .map((group, tag) =>
      group.update("operations", (operations) =>
        operations.filter((each) => holds(`${tag} ${each.get("method")} ${each.get("path")} ${each.getIn(["operation", "summary"], "")}`, phrase)),
      ),
    )
    .filter((group) => group.get("operations").size > 0);
}

export function search({ React }) {
  const FilterContainer = ({ specSelectors, layoutSelectors, layoutActions }) => {
    if (specSelectors.loadingStatus() !== "success") return null;
    const phrase = layoutSelectors.currentFilter();
    const attributes = {
      type: "search",
      placeholder: words.search,
      "aria-label": words.search,
      value: typeof phrase === "string" ? phrase : "",
      onChange: (event) => layoutActions.updateFilter(event.target.value),
    };
    return React.createElement("div", { className: "wrapper search" }, React.createElement("input", attributes));
  };
  return { components: { FilterContainer }, fn: { opsFilter: find } };
}
