"""Small corpora in which sources differ, agree, or tell of two things that only look alike."""

from pathlib import Path

CORPORA = {
    "fire": {
        "herald.txt": "Warehouse fire on Harbour Street\n\n4 May 2024\n\nA fire swept through a furniture warehouse on "
        "Harbour Street in Milltown on Friday night. Twelve people were injured in the fire and two firefighters were "
        "treated for smoke, the fire service said.\n\nThe blaze was under control after five hours, Fire Chief Anna "
        "Keller said. Nearby homes were evacuated.\n",
        "gazette.txt": "Milltown counts the cost of blaze\n\n6 May 2024\n\nThree days after the Harbour Street warehouse "
        "fire in Milltown, investigators are looking at a faulty heater. The fire injured 14 people, according to the "
        "county hospital, where Dr. Samuel Ortiz runs the burns unit.\n\nMayor Tom Hill visited the site on Sunday and "
        "promised help for the families.\n",
    },
    "meeting": {
        "minutes.txt": "Budget committee notes\n\n10 May 2024\n\nThe budget committee meeting of Larkfield council took "
        "place on 3 May 2024 in the old library. Nine members voted for the plan to widen Mill Road.\n",
        "letter.txt": "Letter to residents\n\n12 May 2024\n\nAt the budget committee meeting of Larkfield council on 4 "
        "May 2024, members voted to widen Mill Road. Work starts in the autumn.\n",
    },
    "outage": {
        "grid.txt": "Power cut in Northgate\n\n2 June 2023\n\nThe power cut in Northgate on Thursday lasted 90 minutes, "
        "the grid operator said. About 3,000 homes lost power.\n",
        "street.txt": "Blackout hits Northgate\n\n2 June 2023\n\nThe power cut that hit Northgate lasted 75 minutes, "
        "according to residents. Some 2,950 homes lost power and traffic lights failed.\n",
    },
    "calls": {
        "wednesday.txt": "Minister Hart calls Lindqvist\n\n20 April 2022\n\nDefence Minister Olivia Hart spoke by "
        "telephone with Gen. Erik Lindqvist on Wednesday. The call lasted about 45 minutes, her office said.\n",
        "tuesday.txt": "Hart and Moreau talk\n\n16 April 2024\n\nDefence Minister Olivia Hart spoke on Tuesday with Adm. "
        "Claire Moreau for the first time. The call lasted 90 minutes, the ministry said.\n",
    },
    "ferry": {
        "company.txt": "Ferry delay\n\n8 July 2023\n\nThe ferry to Eastholm was delayed by 45 minutes on Saturday, 8 July "
        "2023 after an engine fault. It carried about 300 passengers.\n",
        "harbour.txt": "Engine fault on ferry\n\n9 July 2023\n\nThe Eastholm ferry was delayed by nearly three quarters "
        "of an hour on Saturday. The ferry was delayed by forty-five minutes, the harbour master said. It carried 297 "
        "passengers.\n",
    },
    "board": {
        "thursday.txt": "Board picks a new chair\n\n3 March 2023\n\nThe Oakridge school board elected Maria Santos as its "
        "chair on Thursday evening.\n",
        "sunday.txt": "New chair\n\n5 March 2023\n\nThe Oakridge school board elected Peter Novak as its chair on Thursday "
        "evening.\n",
    },
    "handbook": {
        "2021.txt": "Staff handbook\n\n10 January 2021\n\nNotice period: staff must give 30 days notice before leaving "
        "the company.\n",
        "2024.txt": "Staff handbook\n\n10 January 2024\n\nNotice period: staff must give 60 days notice before leaving "
        "the company.\n",
    },
}
INJURED = "How many people were injured in the Harbour Street fire?"


def write(name: str, folder: Path) -> Path:
    """The files of one corpus in a folder of its own."""
    root = folder / name
    root.mkdir()
    for path, text in CORPORA[name].items():
        (root / path).write_text(text, encoding="utf-8")
    return root
