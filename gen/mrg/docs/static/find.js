// Shows only the names of the index that have the letters typed, in any case.
(function () {
  "use strict";
  var box = document.getElementById("find");
  var found = document.getElementById("found");
  var entries = Array.prototype.slice.call(document.getElementById("every").children);
  var texts = entries.map(function (entry) { return entry.textContent.toLowerCase(); });

  function search() {
    var want = box.value.trim().toLowerCase();
    var count = 0;
    entries.forEach(function (entry, i) {
      entry.hidden = texts[i].indexOf(want) < 0;
      count += entry.hidden ? 0 : 1;
    });
    found.textContent = want ? count + " found" : "";
  }

  document.getElementById("search").hidden = false;
  box.addEventListener("input", search);
  search();
})();
