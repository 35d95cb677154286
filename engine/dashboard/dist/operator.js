import{b as e,n as o,o as p}from"./part-5YHJR3HM.js";o();e(p("p",{children:"hookline"}),document.getElementById("app"));
