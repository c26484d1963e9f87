(function () {
  "use strict";
  var root = document.documentElement;
  var all = function (selector) { return Array.prototype.slice.call(document.querySelectorAll(selector)); };

  // Themes: the system's choice until the reader makes one, which is kept where storage is allowed.
  var theme = document.getElementById("theme");
  var system = window.matchMedia("(prefers-color-scheme: dark)");
  var stored = null;
  try { stored = localStorage.getItem("dbwright-theme"); } catch (error) { stored = null; }
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  var isDark = function () { return root.dataset.theme ? root.dataset.theme === "dark" : system.matches; };
  var label = function () {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", "Switch to the " + (isDark() ? "light" : "dark") + " theme");
  };
  theme.removeAttribute("aria-pressed");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    root.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("dbwright-theme", root.dataset.theme); } catch (error) { /* not kept */ }
    label();
  });
  system.addEventListener("change", label);
  label();

  // Copying.
  all(".copy").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var source = button.parentNode.querySelector("code");
      var said = function (word) {
        button.textContent = word;
        setTimeout(function () { button.textContent = "Copy"; }, 1500);
      };
      var select = function () {
        var range = document.createRange();
        range.selectNodeContents(source);
        var selection = window.getSelection();
        selection.removeAllRanges();
        selection.addRange(range);
        said(document.execCommand("copy") ? "Copied" : "Selected");
      };
      if (!navigator.clipboard) { select(); return; }
      navigator.clipboard.writeText(source.textContent).then(function () { said("Copied"); }, select);
    });
  });

  // Everything is open on paper.
  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = all("details:not([open])");
    opened.forEach(function (details) { details.open = true; });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (details) { details.open = false; });
  });

  // Filters.
  var filters = document.getElementById("filters");
  if (!filters) return;
  filters.hidden = false;
  var cards = all(".card").map(function (card) {
    return {
      node: card,
      levels: card.dataset.levels.split(" "),
      dimensions: card.dataset.dimensions.split(" "),
      text: card.textContent.toLowerCase(),
    };
  });
  var levels = all(".level");
  var dimension = document.getElementById("dimension");
  var search = document.getElementById("search");
  var none = document.getElementById("none");
  var apply = function () {
    var wanted = levels
      .filter(function (button) { return button.getAttribute("aria-pressed") === "true"; })
      .map(function (button) { return button.dataset.level; });
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    cards.forEach(function (card) {
      var show = card.levels.some(function (level) { return wanted.indexOf(level) >= 0; })
        && (!dimension.value || card.dimensions.indexOf(dimension.value) >= 0)
        && words.every(function (word) { return card.text.indexOf(word) >= 0; });
      card.node.hidden = !show;
      if (show) shown += 1;
    });
    none.hidden = shown > 0;
  };
  levels.forEach(function (button) {
    button.addEventListener("click", function () {
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
      apply();
    });
  });
  dimension.addEventListener("change", apply);
  search.addEventListener("input", apply);

  var expand = document.getElementById("expand");
  expand.addEventListener("click", function () {
    var open = expand.getAttribute("aria-pressed") !== "true";
    all(".card > details").forEach(function (details) { details.open = open; });
    expand.setAttribute("aria-pressed", String(open));
    expand.textContent = open ? "Close all" : "Open all";
  });
  apply();
})();
